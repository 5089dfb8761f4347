import type { ServiceContext } from './context.js';
import { ActiveTask } from './live-active.js';
import { EnrolmentTask } from './live-enrolment.js';
import type { LiveTask } from './live-events.js';
import { PassiveTask } from './live-passive.js';
import type { OpenedCall } from './open-call.js';

/** What a call was registered for, ready to hear. */
export function openTask(context: ServiceContext, call: OpenedCall): LiveTask {
  switch (call.row.terms.mode) {
    case 'active':
      return new ActiveTask(context, call);
    case 'passive':
      return new PassiveTask(context, call);
    case 'enrolment':
      if (call.enrolment === null) throw new Error('a call in mode enrolment names an enrolment');
      return new EnrolmentTask(context, call, call.enrolment);
  }
}
