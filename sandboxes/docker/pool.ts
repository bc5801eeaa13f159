import { performance } from 'node:perf_hooks';
import pLimit from 'p-limit';
import { type ContainerShape, shapeHash } from './hardening.ts';
import type { Counters } from './meter.ts';

/**
 * Theory of operation. Starting a container costs a tenth of a second, a waiting one is there in a millisecond. So for
 * each shape of container that was asked for some wait, started and warm, with no program and no evaluation in them.
 * Every container is used for one evaluation and never comes back. What waits is bounded by the memory that it really
 * holds; a shape that nobody asked for the longest time gives way. A pool changes how long an evaluation waits and
 * never how many there are a second: each costs one creation and one removal.
 *
 * Creating and removing have places of their own: on a full machine removal must never wait behind creation.
 */
export interface Poolable extends AsyncDisposable {
  /** False as soon as its connection broke or it said something that nobody asked. */
  readonly alive: boolean;
  /** By the monotonic clock, in milliseconds. */
  readonly startedAt: number;
  count(): Promise<Counters>;
}

export type Taken<C> = { ok: true; container: C } | { ok: false; message: string };

export interface PoolOptions<C> {
  /** Memory that waiting containers may hold together; 0: none wait. */
  bytes: number;
  start(shape: ContainerShape): Promise<Taken<C>>;
  /** Called when a container that nobody waits for could not be made or removed; the next request tries again. */
  onProblem(message: string): void;
}

/** Two at once keep two cores busy; more only makes each of them slower (measured). */
const createAtOnce = 2;
const removeAtOnce = 4;
const mostPerShape = 8;
/** Counted for a container that is being made, and where memory cannot be read. */
const usualBytes = 33_554_432;
/** A container that waited longer is replaced: deadlines count from its start. */
const oldestMs = 3_600_000;

interface Waiting<C> {
  container: C;
  bytes: number;
}

interface Shelf<C> {
  shape: ContainerShape;
  /** How many shall wait: one, and one more for each time that none did. */
  wanted: number;
  waiting: Waiting<C>[];
  making: number;
  lastAskedAt: number;
}

export class ContainerPool<C extends Poolable> implements AsyncDisposable {
  readonly #options: PoolOptions<C>;
  readonly #create = pLimit(createAtOnce);
  readonly #foreign = pLimit(1);
  readonly #destroy = pLimit(removeAtOnce);
  readonly #shelves = new Map<string, Shelf<C>>();
  readonly #background = new Set<Promise<void>>();
  #closed = false;

  constructor(options: PoolOptions<C>) {
    this.#options = options;
  }

  /** A started container without a program: one that waits, else a new one. */
  async take(shape: ContainerShape): Promise<Taken<C>> {
    const keeps = this.#options.bytes > 0 && shape.foreign === undefined;
    // Images of participants have a place of their own: what one of them delays must not keep everybody else waiting.
    const lane = shape.foreign === undefined ? this.#create : this.#foreign;
    if (!keeps) return await lane(() => this.#options.start(shape));
    const shelf = this.#shelfOf(shape);
    shelf.lastAskedAt = performance.now();
    const found = this.#fromShelf(shelf);
    if (found === null) shelf.wanted = Math.min(shelf.wanted + 1, mostPerShape);
    const taken: Taken<C> = found === null ? await this.#create(() => this.#options.start(shape)) : { ok: true, container: found };
    this.#refill(shelf);
    return taken;
  }

  /**
   * Removes a container; resolves when it is gone, or when the engine failed to do it: what was seen of a case stands all
   * the same, the operator is told, and the reaper comes back to it.
   */
  async remove(container: C): Promise<void> {
    await this.#destroy(() => container[Symbol.asyncDispose]()).catch((error: unknown) => this.#options.onProblem(problemOf(error)));
  }

  /** How many containers wait for an evaluation. */
  get waiting(): number {
    return [...this.#shelves.values()].reduce((sum, shelf) => sum + shelf.waiting.length, 0);
  }

  /** Resolves when nothing is being made or removed in the background. */
  async settled(): Promise<void> {
    while (this.#background.size > 0) await Promise.all(this.#background);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.settled();
    await Promise.all([...this.#shelves.values()].map((shelf) => this.#empty(shelf)));
    this.#shelves.clear();
    await this.settled();
  }

  #shelfOf(shape: ContainerShape): Shelf<C> {
    const key = shapeHash(shape);
    const shelf = this.#shelves.get(key) ?? { shape, wanted: 0, waiting: [], making: 0, lastAskedAt: 0 };
    this.#shelves.set(key, shelf);
    return shelf;
  }

  /** One that nothing has touched since it was warm: still connected, and not too old. */
  #fromShelf(shelf: Shelf<C>): C | null {
    for (let one = shelf.waiting.shift(); one !== undefined; one = shelf.waiting.shift()) {
      const { container } = one;
      if (container.alive && performance.now() - container.startedAt < oldestMs) return container;
      this.#inBackground(this.remove(container));
    }
    return null;
  }

  #refill(shelf: Shelf<C>): void {
    while (!this.#closed && shelf.waiting.length + shelf.making < shelf.wanted && this.#makeRoom(shelf)) {
      shelf.making += 1;
      this.#inBackground(
        this.#create(() => this.#make(shelf)).finally(() => {
          shelf.making -= 1;
        }),
      );
    }
  }

  async #make(shelf: Shelf<C>): Promise<void> {
    if (this.#closed) return;
    const started = await this.#options.start(shelf.shape);
    // A shape that cannot be made is not tried again until somebody asks for it, who then is told why.
    if (!started.ok) return this.#options.onProblem(started.message);
    const { memoryBytes } = await started.container.count();
    if (this.#closed) return await this.remove(started.container);
    shelf.waiting.push({ container: started.container, bytes: memoryBytes ?? usualBytes });
  }

  /** Makes room for one more of this shape; shapes asked for longer ago give way. False: there is none to be had. */
  #makeRoom(shelf: Shelf<C>): boolean {
    const others = [...this.#shelves.values()].filter((one) => one !== shelf).sort((a, b) => a.lastAskedAt - b.lastAskedAt);
    while (this.#heldBytes() + usualBytes > this.#options.bytes) {
      const oldest = others.find((one) => one.waiting.length > 0);
      if (oldest === undefined) return false;
      oldest.wanted = Math.max(0, oldest.wanted - 1);
      const given = oldest.waiting.pop();
      if (given !== undefined) this.#inBackground(this.remove(given.container));
    }
    return true;
  }

  #heldBytes(): number {
    let sum = 0;
    for (const { waiting, making } of this.#shelves.values()) {
      sum += making * usualBytes + waiting.reduce((bytes, one) => bytes + one.bytes, 0);
    }
    return sum;
  }

  async #empty(shelf: Shelf<C>): Promise<void> {
    const all = shelf.waiting.splice(0);
    await Promise.all(all.map(({ container }) => this.remove(container)));
  }

  #inBackground(work: Promise<void>): void {
    const kept = work.catch((error: unknown) => this.#options.onProblem(problemOf(error))).finally(() => this.#background.delete(kept));
    this.#background.add(kept);
  }
}

const problemOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
