import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { confirms, serve } from '../rooms/rest/misbehaving-server.ts';
import { spawnScript } from '../support/run-typescript.ts';

const script = fileURLToPath(new URL('./stopped-room-program.ts', import.meta.url));

it.each(['before', 'after'])(
  'a room whose task stopped %s the signal is deleted, and the goodbye of another task is played',
  async (stops) => {
    const server = await serve(confirms);
    const child = spawnScript(script, [server.url, stops], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    let output = '';
    child.stdout?.on('data', (text) => {
      if (output === '') child.kill('SIGTERM');
      output += text;
    });
    const [code] = await once(child, 'close');
    expect(output).toContain('ready\n');
    expect(output).toMatch(/played goodbye\n.*living ended\n/s);
    const deleted = server.requests
      .filter(({ url }) => url?.endsWith('/DeleteRoom'))
      .map(({ body }) => JSON.parse(body).room);
    expect(deleted.toSorted()).toEqual(['living-room', 'stopped-room']);
    expect(code).toBe(0);
  },
);
