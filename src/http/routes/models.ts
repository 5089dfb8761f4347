import Type from 'typebox';
import { scorerOf, type ServiceContext } from '../../service/context.js';
import { changeProgress, undoChange, voiceprintsByModel } from '../../service/model-change.js';
import type { App } from '../http-app.js';
import { callerOf } from '../authentication.js';
import { accountId, closed, list, nullable, time } from '../schemas.js';

const modelId = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$', description: 'A model’s folder name' });

const progress = closed({
  modelId,
  quietPrints: Type.Boolean({ description: 'The active policy lets accepted calls make prints by it' }),
  both: Type.Integer({ description: 'Accounts with a voiceprint by it and by another' }),
  moved: Type.Integer({ description: 'Accounts with a voiceprint by it alone' }),
  waiting: Type.Integer({ description: 'Accounts with voiceprints by other models only' }),
  gathering: Type.Integer({ description: 'Of the waiting, with utterances gathered' }),
  utterancesGathered: Type.Integer(),
  calling: Type.Integer({
    description: 'Of the waiting, with an accepted high-tier call that would give an utterance',
  }),
  calls: Type.Integer({ description: 'Such calls in the observed days' }),
  observedDays: Type.Number(),
  firstCallAt: nullable(time('Of the tenant in the observed days')),
  medianMissingPerCall: nullable(
    Type.Number({ description: 'Median over the calling: utterances missing for each such call' }),
  ),
  medianDays: nullable(Type.Number({ description: 'Until half of the calling have moved, if they go on as they did' })),
});

/** Which models judge, how many voiceprints each made, and how far a change is. */
export function modelRoutes(app: App, context: ServiceContext): void {
  const tags = ['models'];
  app.get(
    '/v1/models',
    {
      config: { roles: ['analyst', 'admin'] },
      schema: {
        summary: 'Loaded models, voiceprints by model, progress of a change',
        description:
          'The change is the one to `to`; without it, to the model that the active policy lets calls make prints of.',
        tags,
        querystring: closed({ to: Type.Optional(modelId) }),
        response: {
          200: closed({
            loaded: list(closed({ modelId, active: Type.Boolean(), calibrationVersion: Type.String() })),
            voiceprints: list(
              closed({
                modelId,
                voiceprints: Type.Integer(),
                derived: Type.Integer({ description: 'Of these, made quietly from accepted calls' }),
              }),
            ),
            change: nullable(progress),
          }),
        },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      return {
        loaded: context.ears.modelIds.map((id, place) => ({
          modelId: id,
          active: place === 0,
          calibrationVersion: scorerOf(context, id).calibration.version,
        })),
        voiceprints: await voiceprintsByModel(context, caller),
        change: await changeProgress(context, caller, request.query.to ?? null),
      };
    },
  );
  app.delete(
    '/v1/accounts/:accountId/voiceprints/:modelId',
    {
      config: { roles: ['admin'] },
      schema: {
        summary: 'Undo a quiet voiceprint',
        description:
          'Erases the voiceprint that accepted calls made for this model, and what was gathered for one. The one by the other model goes on judging; a last one is never taken.',
        tags,
        params: closed({ accountId, modelId }),
        response: { 200: closed({ voiceprintsErased: Type.Integer(), utterancesErased: Type.Integer() }) },
      },
    },
    async (request) => undoChange(context, callerOf(request), request.params.accountId, request.params.modelId),
  );
}
