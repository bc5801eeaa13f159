/**
 * The runner of a `node` sandbox: PID 1 of the container. Its theory of operation and its frames are those of
 * runner.py beside it; read that first.
 *
 * One difference: Node reaps only children it started itself. An orphan that the program left becomes a zombie that
 * stays, so the runner then reports the case as not clean and the worker replaces the container.
 */
import { spawn } from 'node:child_process';
import { chmodSync, readdirSync, statfsSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';

const slotUid = 65532;
const program = '/program/main.mjs';
const gateway = '/gateway/gateway.sock';
const port = 8080;
const maxConnections = 100;
/** Room for the ready mark, the kind, the end mark and the message of a fault. */
const answerExtra = 8192;

const childEnvironment = {
  OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`,
  OPENAI_API_KEY: 'unused',
  ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}`,
  ANTHROPIC_API_KEY: 'unused',
  HOME: '/work',
  TMPDIR: '/work',
  PATH: '/usr/local/bin:/usr/bin:/bin',
  LANG: 'C.UTF-8',
};

/** Keeps at most one byte above the cap: that byte lets the worker see the excess itself. */
class Capped {
  parts = [];
  bytes = 0;
  constructor(cap) {
    this.cap = cap;
  }
  get full() {
    return this.bytes > this.cap;
  }
  add(part) {
    const kept = part.subarray(0, this.cap + 1 - this.bytes);
    this.parts.push(kept);
    this.bytes += kept.length;
  }
  get all() {
    return Buffer.concat(this.parts);
  }
}

/** Carries connections of the program to the gateway's socket and back without looking at them. */
function startForwarder() {
  const open = new Set();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ path: gateway, allowHalfOpen: true });
    const pair = {
      close: () => {
        client.destroy();
        upstream.destroy();
      },
    };
    open.add(pair);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ]) {
      from.on('error', pair.close);
      from.on('close', () => {
        to.destroySoon();
        open.delete(pair);
      });
      from.pipe(to);
    }
  });
  server.maxConnections = maxConnections;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      resolve(() => {
        for (const pair of open) pair.close();
      });
    });
  });
}

function killAll() {
  try {
    process.kill(-1, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

const aloneInContainer = () => readdirSync('/proc').every((name) => name === '1' || !/^\d+$/.test(name));

/** Ends the case that runs now; replaced for each case. */
let stopCase = () => {};

function runCase(opening, frame) {
  return new Promise((resolve) => {
    const log = new Capped(opening.outputBytes);
    const answer = new Capped(opening.answerBytes + answerExtra);
    let end = null;
    const finish = (how) => {
      end ??= how;
      killAll();
    };
    const child = spawn(
      process.execPath,
      [`--max-old-space-size=${opening.heapMegabytes}`, '--disable-warning=ExperimentalWarning', '/opt/collective/child.mjs'],
      { uid: slotUid, gid: slotUid, env: childEnvironment, detached: true, stdio: ['pipe', 'pipe', 'pipe', 'pipe'] },
    );
    stopCase = () => finish('stopped');
    const timer = setTimeout(stopCase, frame.wallMs);
    const closed = (exitCode, signal) => {
      clearTimeout(timer);
      stopCase = () => {};
      killAll();
      if (answer.all.includes(0x0a)) end = 'answer';
      if (end === null) end = answer.bytes > 0 ? 'exit' : 'unclean';
      const space = statfsSync('/work');
      const diskFull = space.bavail * space.bsize < 65536 || space.ffree < 2;
      const texts = { answer: answer.all.subarray(1).toString('base64'), log: log.all.toString('base64') };
      resolve({ type: 'result', seq: frame.seq, end, exitCode, signal, ...texts, diskFull, clean: aloneInContainer() });
    };
    child.on('error', () => closed(null, null));
    // Orphans hold the pipes open; without this the case would last until they end.
    child.on('exit', () => killAll());
    child.on('close', closed);
    const keepLog = (part) => {
      log.add(part);
      if (log.full) finish('stopped');
    };
    child.stdout.on('data', keepLog);
    child.stderr.on('data', keepLog);
    child.stdio[3].on('data', (part) => {
      answer.add(part);
      if (part.includes(0x0a) || answer.full) finish('answer');
    });
    for (const stream of child.stdio) stream.on('error', () => {});
    child.stdin.end(JSON.stringify(frame.task));
  });
}

async function* frames(input) {
  let pending = Buffer.alloc(0);
  for await (const part of input) {
    pending = Buffer.concat([pending, part]);
    while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE(0)) {
      const size = pending.readUInt32BE(0);
      yield JSON.parse(pending.subarray(4, 4 + size).toString('utf8'));
      pending = pending.subarray(4 + size);
    }
  }
}

function writeFrame(message) {
  const body = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  process.stdout.write(Buffer.concat([head, body]));
}

// When stdin ends the worker is gone, also in the middle of a case: the end of PID 1 ends the container.
process.stdin.on('end', () => process.exit(0));

let opening = null;
let closeConnections = () => {};

async function open(frame) {
  opening = frame;
  writeFileSync(program, opening.source);
  chmodSync(program, 0o444);
  closeConnections = await startForwarder();
  writeFrame({ nonce: opening.nonce, type: 'ready' });
}

function serve(frame) {
  runCase(opening, frame).then(
    (result) => {
      closeConnections();
      writeFrame({ nonce: opening.nonce, ...result });
    },
    (error) => {
      process.stderr.write(`${error.stack}\n`, () => process.exit(1));
    },
  );
}

for await (const frame of frames(process.stdin)) {
  // The loop goes on while a case runs, to hear an order to stop it.
  if (frame.type === 'open') await open(frame);
  else if (frame.type === 'stop') stopCase();
  else serve(frame);
}
process.exit(0);
