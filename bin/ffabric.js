#!/usr/bin/env node
// The command: checks that this Node can run ffabric and that ffabric was built, then hands over to dist/cli/main.js.
// Nothing here may be newer than what an old Node reads: the point is that an old Node gets as far as the message.

var found = process.versions.node.split('.').map(Number);
var wanted = [20, 19];
if (found[0] < wanted[0] || (found[0] === wanted[0] && found[1] < wanted[1])) {
  console.error(
    'ffabric needs Node ' +
      wanted.join('.') +
      ' or later; this is Node ' +
      process.versions.node +
      '. Install a newer one from https://nodejs.org and run the command again.',
  );
  process.exitCode = 2;
} else {
  import('node:v8').then(inlineMore).then(load);
}

// The path of a call runs through many small functions of many files. Where V8's usual limits on inlining end, a share
// and its reclaim take half as long again (measured on Node 20); but more inlining takes longer to compile, and what
// does not repeat one call a million times is the slower for it. So only `bench` asks for it, and says so.
function inlineMore(v8) {
  if (process.argv[2] !== 'bench') return;
  v8.setFlagsFromString('--max-inlined-bytecode-size-cumulative=8000');
  v8.setFlagsFromString('--max-inlined-bytecode-size-absolute=20000');
}

function load() {
  import('../dist/cli/main.js').then(run, notLoaded);
}

function run(cli) {
  cli.main(process.argv.slice(2)).then(function (code) {
    process.exitCode = code;
  }, failed);
}

// A fresh clone has no dist/, an interrupted installation no node_modules/: both are mended by the same command.
function notLoaded(error) {
  if (error === null || typeof error !== 'object' || error.code !== 'ERR_MODULE_NOT_FOUND') return failed(error);
  console.error(
    'ffabric is not built here (' +
      String(error.message).split(' imported from ')[0] +
      '). Run `npm ci` in a fresh clone, or `npm run build` after a change.',
  );
  process.exitCode = 2;
}

// The command line reports its own failures; what arrives here is one that it could not.
function failed(error) {
  console.error('ffabric failed by a fault of its own; please report this:');
  console.error(error);
  process.exitCode = 4;
}
