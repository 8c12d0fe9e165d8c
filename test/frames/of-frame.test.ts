import { of, toArray } from 'rxjs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Frame } from '../../src/frames/frame.ts';
import { CancelFrame, EndFrame } from '../../src/frames/lifecycle.ts';
import { ofFrame } from '../../src/frames/of-frame.ts';
import { TextFrame } from '../../src/frames/text.ts';

describe('ofFrame', () => {
  it('passes frames of unrelated classes, as their union', () => {
    const frames: Frame[] = [new TextFrame('a'), new CancelFrame(), new EndFrame()];
    of(...frames)
      .pipe(ofFrame(TextFrame, EndFrame), toArray())
      .subscribe((passed) => {
        expectTypeOf(passed).toEqualTypeOf<(TextFrame | EndFrame)[]>();
        expect(passed).toEqual([frames[0], frames[2]]);
      });
    expect.assertions(1);
  });
});
