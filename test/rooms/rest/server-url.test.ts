import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../../../src/lib/errors.ts';
import { restBaseUrl } from '../../../src/rooms/rest/server-url.ts';

describe('restBaseUrl', () => {
  it.each([
    ['https://host.example', 'https://host.example'],
    ['https://host.example/', 'https://host.example'],
    ['https://host.example///', 'https://host.example'],
    ['wss://host.example', 'https://host.example'],
    ['ws://127.0.0.1:7880', 'http://127.0.0.1:7880'],
    ['WSS://Host.Example:443/', 'https://host.example'],
    ['ws://host.example:443', 'http://host.example:443'],
    ['https://host.example/live/kit/', 'https://host.example/live/kit'],
    ['http://[::1]:7880/', 'http://[::1]:7880'],
    ['http://host.example/a@b', 'http://host.example/a@b'],
    [' http://host.example\n', 'http://host.example'],
  ])('maps %j to %j', (apiUrl, base) => {
    expect(restBaseUrl(apiUrl)).toBe(base);
  });

  it.each([
    '',
    'host.example',
    '/path',
    'http://',
    'ftp://host.example',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'http://user:hunter2@host.example',
    'http://user@host.example',
    'http://@host.example',
    'http:\\\\hunter2@host.example',
    'https://host.example?',
    'https://host.example/?key=hunter2',
    'https://host.example#',
    'https://host.example/#hunter2',
    null,
    7880,
    {},
  ])('refuses %j and does not repeat it', (apiUrl) => {
    const call = (): string => restBaseUrl(apiUrl);
    expect(call).toThrow(InvalidOptionError);
    expect(call).toThrow('Option "apiUrl" must be a');
    expect(call).not.toThrow('hunter2');
  });
});
