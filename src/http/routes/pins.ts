import type { ServiceContext } from '../../service/context.js';
import { setPin } from '../../service/pins.js';
import type { App } from '../http-app.js';
import { callerOf } from '../authentication.js';
import { proofOf } from '../proof-body.js';
import { accountId, closed, pin, proofFields, time } from '../schemas.js';

/** The PIN. It travels in bodies only. */
export function pinRoutes(app: App, context: ServiceContext): void {
  const { pin: oldPin, ...others } = proofFields;
  app.put(
    '/v1/accounts/:accountId/pin',
    {
      config: { roles: ['enroller', 'admin'] },
      schema: {
        summary: 'Set or replace the PIN',
        description:
          'Replacing needs the old PIN, an accepted verification of the last minutes that included the right PIN, or an agent’s override with a reason.',
        tags: ['accounts'],
        params: closed({ accountId }),
        body: closed({ pin, oldPin, ...others }),
        response: { 200: closed({ accountId, pinSetAt: time('') }) },
      },
    },
    async (request) => {
      const { pin: newPin, oldPin: old, ...proof } = request.body;
      return setPin(context, callerOf(request), request.params.accountId, {
        newPin,
        proof: proofOf({ ...proof, ...(old === undefined ? {} : { pin: old }) }),
      });
    },
  );
}
