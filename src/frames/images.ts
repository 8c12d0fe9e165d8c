/** Pictures on their way in and out. */

import { InvalidOptionError } from '../lib/errors.ts';
import { DataFrame, isFrame, SystemFrame } from './frame.ts';
import { checkImage } from './frame-checks.ts';

/** A picture. */
export interface ImageChunk {
  /** The pixels, without padding. */
  readonly image: Uint8Array;
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /** How `image` is to be read, such as `RGB` or `JPEG`; `undefined` where both sides know. */
  readonly format?: string | undefined;
}

/** A picture that a transport received. A system frame: it is never held up, nor dropped, by an interruption. */
export class InputImageRawFrame extends SystemFrame implements ImageChunk {
  readonly image: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly format: string | undefined;

  /** @throws {InvalidOptionError} What is given is no picture: no bytes, no size, or fewer bytes than RGB(A) needs. */
  constructor(chunk: ImageChunk) {
    super();
    checkImage(chunk);
    this.image = chunk.image;
    this.width = chunk.width;
    this.height = chunk.height;
    this.format = chunk.format;
  }
}

/** Fields of a {@link UserImageRequestFrame}. */
export interface UserImageRequest {
  /** The participant's identity. */
  readonly userId: string;
  /** What to ask about the picture. */
  readonly text?: string | undefined;
  /** Whether the picture joins the conversation; `undefined` leaves it to the receiver. */
  readonly appendToContext?: boolean | undefined;
  /** Which of the participant's cameras or screens; `undefined` for the usual one. */
  readonly videoSource?: string | undefined;
  /** The function call that asks, where one does. */
  readonly functionName?: string | undefined;
  /** The id of the function call that requested it. Default none. */
  readonly toolCallId?: string | undefined;
}

/**
 * Asks the input transport for one picture of a participant; travels upstream.
 *
 * The transport answers with a {@link UserImageRawFrame} that carries this request.
 */
export class UserImageRequestFrame extends SystemFrame implements UserImageRequest {
  readonly userId: string;
  readonly text: string | undefined;
  readonly appendToContext: boolean | undefined;
  readonly videoSource: string | undefined;
  readonly functionName: string | undefined;
  readonly toolCallId: string | undefined;

  constructor(request: UserImageRequest) {
    super();
    this.userId = request.userId;
    this.text = request.text;
    this.appendToContext = request.appendToContext;
    this.videoSource = request.videoSource;
    this.functionName = request.functionName;
    this.toolCallId = request.toolCallId;
  }
}

/** Fields of a {@link UserImageRawFrame}. */
export interface UserImage extends ImageChunk {
  /** The participant's identity. */
  readonly userId: string;
  /** Text that belongs to the image. Default none. */
  readonly text?: string | undefined;
  /** Whether the image is added to the model's context. Default: the receiver's choice. */
  readonly appendToContext?: boolean | undefined;
  /** What asked for it; `undefined` for an unrequested picture. */
  readonly request?: UserImageRequestFrame | undefined;
}

/** A picture of one participant. */
export class UserImageRawFrame extends InputImageRawFrame implements UserImage {
  readonly userId: string;
  /** What to ask about the picture. */
  readonly text: string | undefined;
  /** Whether the picture joins the conversation; `undefined` leaves it to the receiver. */
  readonly appendToContext: boolean | undefined;
  readonly request: UserImageRequestFrame | undefined;

  constructor(image: UserImage) {
    super(image);
    this.userId = image.userId;
    this.text = image.text;
    this.appendToContext = image.appendToContext;
    this.request = image.request;
  }
}

/** A picture to be shown, in order. The output transport shows it until the next one comes. */
export class OutputImageRawFrame extends DataFrame implements ImageChunk {
  readonly image: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly format: string | undefined;
  /** Whether it waits for the sound ahead of it to be played. */
  syncWithAudio = false;

  /** @throws {InvalidOptionError} What is given is no picture: no bytes, no size, or fewer bytes than RGB(A) needs. */
  constructor(chunk: ImageChunk) {
    super();
    checkImage(chunk);
    this.image = chunk.image;
    this.width = chunk.width;
    this.height = chunk.height;
    this.format = chunk.format;
  }
}

/** A picture that moves: its images are shown over and over, one after the other, until another picture comes. */
export class SpriteFrame extends DataFrame {
  /** The images, in order. */
  readonly images: readonly OutputImageRawFrame[];

  /** @throws {InvalidOptionError} `images` is no list of frames. */
  constructor(images: readonly OutputImageRawFrame[]) {
    super();
    const areFrames: boolean = Array.isArray(images) && images.every((image: unknown) => isFrame(image));
    if (!areFrames) throw new InvalidOptionError('images', 'a list of OutputImageRawFrames', images);
    this.images = images;
  }
}
