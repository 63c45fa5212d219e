'use strict';

// The steps of a series: a call on paths, on one of the handles that are open, or of a few at once.

const fc = require('fast-check');
const { makeWriteFileAtomic } = require('../../lib/atomic');
const { sizesOfFoldersOut } = require('../helpers/parity-describe');
const { HANDLE_CALLS, PATH_CALLS, argumentsOf, made, shown, step } = require('./calls');
const { callbackSteps } = require('./callback-steps');
const v = require('./values');

/* ---- on paths ---- */

/** Neither the order of names nor what only luck decides is compared. */
function resultOf(name, result) {
  if (name === 'readdir' && Array.isArray(result)) return [...result].sort();
  return sizesOfFoldersOut(result);
}

function pathStep(name) {
  return PATH_CALLS[name].map((args) =>
    step(`${name}(${shown(args)})`, async (side, label) => {
      if (name === 'mkdtemp') return temporaryFolder(side, label, args);
      await side.step(
        label,
        () => side.fs[name](...made(side, args)),
        (result) => resultOf(name, result),
      );
    }),
  );
}

/** Its name ends by chance, so it does not stay. */
async function temporaryFolder(side, label, args) {
  await side.step(
    label,
    () => side.fs.mkdtemp(...made(side, args)),
    (folder) => {
      const prefix = Buffer.from(folder).subarray(0, -6);
      side.nodeFsSync.rmSync(Buffer.from(folder), { recursive: true });
      return Buffer.isBuffer(folder) ? prefix : String(prefix);
    },
  );
}

/* ---- open, and what is done with handles ---- */

const openStep = fc.tuple(argumentsOf(v.path, v.flag, v.mode), fc.boolean()).map(([args]) =>
  step(`open(${shown(args)})`, async (side, label) => {
    const handle = await side.step(label, () => side.fs.open(...made(side, args)));
    if (handle !== undefined) side.handles.push(handle);
  }),
);

/** Of files that are there: or there would be few handles. */
const goodOpenStep = fc
  .tuple(
    fc.constantFrom('file', 'text', 'a', 'dir/inner'),
    fc.constantFrom('r', 'r+', 'w+', 'a+', 'a', 'w'),
  )
  .map(([name, flags]) =>
    step(`open(${name}, '${flags}')`, async (side, label) => {
      const handle = await side.step(label, () => side.fs.open(name, flags));
      if (handle !== undefined) side.handles.push(handle);
    }),
  );

/** A step with one of the handles that the series has opened; nothing happens when it has none. */
function onHandle(label, index, run) {
  return step(`handle ${index}: ${label}`, async (side, full) => {
    const handle = side.handleAt(index);
    if (handle !== undefined) await run(side, full, handle);
  });
}

function handleStep(name) {
  return fc.tuple(fc.nat(2), HANDLE_CALLS[name]).map(([index, args]) =>
    onHandle(`${name}(${shown(args)})`, index, async (side, label, handle) => {
      await side.step(label, () => handle[name](...made(side, args)), sizesOfFoldersOut);
      side.note(`${label}, then open`, handle.fd >= 0);
    }),
  );
}

/* ---- streams ---- */

const MOST_CHUNKS = 8;

/** All that comes out of a stream, until it ends or there is enough of it. */
function collect(stream) {
  return new Promise((resolve) => {
    const chunks = [];
    let failure;
    stream.on('data', (chunk) => {
      chunks.push(chunk);
      if (chunks.length === MOST_CHUNKS) stream.destroy();
    });
    const finish = () => resolve({ chunks, failure });
    stream.on('error', (error) => {
      failure = error;
      if (!stream.autoClose) finish();
    });
    stream.on('close', finish);
    if (!stream.autoClose) stream.on('end', finish);
  });
}

const streamOptions = v.options({
  start: v.int(0, 30),
  end: v.mostly(9, v.int(30, 20_000), v.among(Infinity)),
  highWaterMark: v.int(1, 40_000),
  encoding: v.among('utf8', 'latin1', null, undefined),
  autoClose: v.among(true, false, undefined),
});

const readStreamStep = fc.tuple(fc.nat(2), streamOptions).map(([index, options]) =>
  onHandle(`createReadStream(${options.label})`, index, async (side, label, handle) => {
    await side.step(label, async () => collect(handle.createReadStream(options.make(side))));
  }),
);

const writeStreamStep = fc
  .tuple(
    fc.nat(2),
    v.options({
      start: v.int(0, 30),
      highWaterMark: v.int(1, 40_000),
      flush: v.among(true, false),
    }),
    fc.array(v.text, { maxLength: 3 }),
  )
  .map(([index, options, texts]) =>
    onHandle(
      `createWriteStream(${options.label}) of ${shown(texts)}`,
      index,
      async (side, label, handle) => {
        await side.step(label, async () => {
          const stream = handle.createWriteStream(options.make(side));
          const closed = new Promise((resolve) => {
            let failure = 'none';
            stream.on('error', (error) => {
              failure = error;
            });
            stream.on('close', () => resolve({ failure, bytes: stream.bytesWritten }));
          });
          for (const one of texts) stream.write(one.make());
          stream.end();
          return closed;
        });
      },
    ),
  );

/** Node's web streams of what cannot be read can never be closed. */
function isReadable({ nodeFsSync }, { fd }) {
  if (fd === -1) return true;
  const [, flags] = /^flags:\s*(\d+)/m.exec(
    nodeFsSync.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'),
  );
  return (Number.parseInt(flags, 8) & 3) % 2 === 0 && nodeFsSync.fstatSync(fd).isFile();
}

/** When a stream closes its handle some time after its end. */
async function hasClosed(handle) {
  for (let turns = 0; turns < 50 && handle.fd !== -1; turns++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const linesStep = fc.nat(2).map((index) =>
  onHandle('readLines()', index, async (side, label, handle) => {
    // A file of gigabytes, made by truncate(), is one line.
    if (handle.fd >= 0 && side.nodeFsSync.fstatSync(handle.fd).size > 2 ** 20) return;
    await side.step(label, async () => {
      const lines = [];
      for await (const line of handle.readLines()) {
        lines.push(line);
        if (lines.length === MOST_CHUNKS) break;
      }
      await hasClosed(handle);
      return lines;
    });
  }),
);

const webStreamStep = fc.tuple(fc.nat(2), fc.boolean()).map(([index, autoClose]) =>
  onHandle(`readableWebStream({ autoClose: ${autoClose} })`, index, async (side, label, handle) => {
    if (!isReadable(side, handle)) return;
    await side.step(label, async () => {
      const chunks = [];
      for await (const chunk of handle.readableWebStream({ type: 'bytes', autoClose })) {
        chunks.push(chunk);
        if (chunks.length === MOST_CHUNKS) break;
      }
      if (autoClose) await hasClosed(handle);
      return chunks;
    });
  }),
);

/* ---- ours alone, held against what they stand for ---- */

const paths = fc.array(v.goodPath, { maxLength: 6 });

const readFilesStep = fc
  .tuple(paths, v.among('utf8', 'latin1', undefined, null))
  .map(([list, chosen]) =>
    step(`readFiles([${shown(list)}], ${chosen.label})`, async (side, label) => {
      const given = made(side, list);
      const options = { encoding: chosen.make(side) };
      await side.step(label, () =>
        side.fs.readFiles
          ? side.fs.readFiles(given, { ...options, settled: true, separate: true })
          : Promise.allSettled(given.map(async (one) => side.fs.readFile(one, options))),
      );
    }),
  );

const statFilesStep = fc.tuple(paths, fc.boolean()).map(([list, bigint]) =>
  step(`statFiles([${shown(list)}], ${bigint})`, async (side, label) => {
    const given = made(side, list);
    const outOfAll = (outcomes) => {
      outcomes.forEach((outcome) => sizesOfFoldersOut(outcome.value));
      return outcomes;
    };
    await side.step(
      label,
      () =>
        side.fs.statFiles
          ? side.fs.statFiles(given, { bigint, settled: true })
          : Promise.allSettled(given.map(async (one) => side.fs.stat(one, { bigint }))),
      outOfAll,
    );
  }),
);

const atomicStep = fc.tuple(v.goodPath, fc.oneof(v.text, v.iterable)).map(([target, content]) =>
  step(`writeFileAtomic(${target.label}, ${content.label})`, async (side, label) => {
    const write = side.fs.writeFileAtomic ?? makeWriteFileAtomic(side.nodeFs);
    await side.step(label, () =>
      write(target.make(side), content.make(side), { flush: false }).catch((error) => {
        for (const key of ['message', 'path', 'stack']) {
          error[key] = error[key]?.replace(/\.[0-9a-f]{24}\.tmp/, '.temporary');
        }
        throw error;
      }),
    );
  }),
);

/** Calls that do not disturb each other: no flag of readFile makes or empties a file. */
const { encoding, signal } = v;
const READING_CALLS = {
  readFile: argumentsOf(v.path, v.optionsOr({ encoding, signal }, encoding)),
  ...Object.fromEntries(
    ['access', 'lstat', 'readlink', 'realpath', 'stat'].map((name) => [name, PATH_CALLS[name]]),
  ),
};
const readingCall = fc
  .constantFrom(...Object.keys(READING_CALLS))
  .chain((name) => READING_CALLS[name].map((args) => ({ name, args })));

const togetherStep = fc.array(readingCall, { minLength: 2, maxLength: 12 }).map((calls) => {
  const label = calls.map(({ name, args }) => `${name}(${shown(args)})`).join(' + ');
  return step(`at once: ${label}`, async (side, full) => {
    await side.step(full, async () => {
      const outcomes = await Promise.allSettled(
        calls.map(async ({ name, args }) => side.fs[name](...made(side, args))),
      );
      outcomes.forEach((outcome) => sizesOfFoldersOut(outcome.value));
      return outcomes;
    });
  });
});

function isFile({ nodeFsSync }, name) {
  try {
    return nodeFsSync.lstatSync(name).isFile();
  } catch {
    return false;
  }
}

/** A read whose caller gives up at once: what is there must be an AbortError, or what was read. */
const abortStep = fc
  .tuple(fc.constantFrom('file', 'text', 'dir/inner'), fc.boolean())
  .map(([name, reason]) =>
    step(
      `readFile('${name}') aborted${reason ? ', with a reason,' : ''} in the same tick`,
      async (side, label) => {
        if (!isFile(side, name)) return;
        await side.step(label, () => {
          const controller = new AbortController();
          const reading = side.fs.readFile(name, { signal: controller.signal });
          controller.abort(reason ? new RangeError('mine') : undefined);
          return reading;
        });
      },
    ),
  );

const anyStep = fc.oneof(
  ...Object.keys(PATH_CALLS).map((name) => ({ weight: 4, arbitrary: pathStep(name) })),
  { weight: 6, arbitrary: openStep },
  { weight: 10, arbitrary: goodOpenStep },
  ...Object.keys(HANDLE_CALLS).map((name) => ({
    weight: name === 'close' ? 2 : 4,
    arbitrary: handleStep(name),
  })),
  { weight: 2, arbitrary: readStreamStep },
  { weight: 2, arbitrary: writeStreamStep },
  { weight: 1, arbitrary: linesStep },
  { weight: 1, arbitrary: webStreamStep },
  { weight: 3, arbitrary: readFilesStep },
  { weight: 3, arbitrary: statFilesStep },
  { weight: 3, arbitrary: atomicStep },
  { weight: 3, arbitrary: togetherStep },
  { weight: 2, arbitrary: abortStep },
  { weight: 60, arbitrary: callbackSteps },
);

/** @returns {fc.Arbitrary<Step[]>} */
const series = fc.array(anyStep, { minLength: 1, maxLength: 30, size: 'max' });

module.exports = { series };
