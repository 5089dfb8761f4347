import t from 'tap';
import { createClient } from '../../bench/client.js';
import { playStory } from '../../bench/story.js';
import { openRealService } from './real-service.js';

void t.test('the story of the demo ends as told, with real models, over HTTP', async (t) => {
  const { url, apiKey } = await openRealService(t);
  const { told, otherwise } = await playStory(createClient(url, apiKey), (line) => t.comment(line));
  t.same(otherwise, []);
  t.ok(told >= 24);
  t.equal((await fetch(`${url}/readyz`)).status, 200);
});
