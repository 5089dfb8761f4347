import { defaultPolicy } from '../decision/policy.js';
import type { NamedThreshold } from '../tuning/speaker-report.js';

/** The voice's least LLRs of the default policy, for reports. */
export const policyThresholds: readonly NamedThreshold[] = [
  { name: 'reject', llr: defaultPolicy.tiers.rejectBelowLlr },
  { name: 'low', llr: defaultPolicy.tiers.low.minVoiceLlr },
  { name: 'standard', llr: defaultPolicy.tiers.standard.minVoiceLlr },
  { name: 'high', llr: defaultPolicy.tiers.high.minFusedLlr },
];
