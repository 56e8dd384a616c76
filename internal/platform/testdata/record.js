// Records npm's install checks: node record.js NPM > checks.jsonl
//
// The first line is a header with npm's version, each further line one case.
'use strict'
const path = require('path')
const npm = path.resolve(process.argv[2] || '/usr/lib/node_modules/npm')
const { checkEngine, checkPlatform, checkDevEngines } = require(path.join(npm, 'node_modules/npm-install-checks'))

const out = [{ npm: require(path.join(npm, 'package.json')).version, node: process.version }]
const attempt = (kind, args, f) => {
  const row = { kind, ...args }
  try {
    row.result = f() ?? null
  } catch (er) {
    row.error = { code: er.code, message: er.message, current: er.current, required: er.required, pkgid: er.pkgid }
  }
  out.push(row)
}

const engines = [
  undefined, {}, null, '', [], 'node >=1', ['node >=99'], { node: '' }, { node: '*' }, { node: '>=20' }, { node: '>= 99' }, { node: '<20' },
  { node: '^20.0.0 || >=22' }, { node: '>=20.0.0-rc.1' }, { node: 'garbage' }, { node: '>=20 garbage' }, { node: null }, { node: 5 }, { node: '20' },
  { node: 'v20.x' }, { node: '>=v20' }, { npm: '>=11' }, { npm: '>=99' }, { npm: 'garbage' }, { node: '>=20', npm: '>=99' }, { node: '>=99', npm: '>=11' },
  { node: '>=99', npm: '>=99' }, { yarn: '>=1' }, { iojs: '1' }, { node: '>=20.20.2' }, { node: '>20.20.2' }, { node: '01.2.3' }, { node: '>=1.2.3beta' },
]
for (const e of engines) {
  for (const [node, npmv] of [['v20.20.2', '11.19.1'], ['20.20.2', undefined], ['v21.0.0-nightly', '11.19.1'], [undefined, '11.19.1'], ['v22.0.0-rc.1', '12.0.0-pre']]) {
    for (const force of [false, true]) {
      attempt('engine', { engines: e, nodeVersion: node, npmVersion: npmv, force }, () => checkEngine({ _id: 'x@1.0.0', engines: e }, npmv, node, force))
    }
  }
}

const lists = [undefined, '', 'any', 'linux', '!linux', 'darwin', [], ['any'], ['linux'], ['darwin'], ['darwin', 'linux'], ['!linux'], ['!darwin'],
  ['!darwin', '!win32'], ['!linux', 'linux'], ['linux', '!linux'], ['!darwin', 'win32'], ['!darwin', 'linux'], ['any', 'darwin'], ['any', 'linux'],
  ['!any'], ['!'], [''], ['Linux'], ['!!linux'], null]
const here = { os: 'linux', cpu: 'x64', libc: 'glibc' }
for (const os of lists) {
  attempt('platform', { os, here }, () => checkPlatform({ _id: 'x@1.0.0', os }, false, here))
}
for (const cpu of [undefined, 'x64', ['arm64'], ['x64', 'arm64'], ['!x64'], ['any'], ['!arm']]) {
  for (const os of [undefined, ['linux'], ['darwin']]) {
    attempt('platform', { os, cpu, here }, () => checkPlatform({ _id: 'x@1.0.0', os, cpu }, false, here))
  }
}
for (const libc of [undefined, '', 'glibc', 'musl', ['glibc'], ['musl'], ['glibc', 'musl'], ['!musl'], [], ['any'], 'any']) {
  attempt('platform', { libc, here }, () => checkPlatform({ _id: 'x@1.0.0', libc }, false, here))
  // Elsewhere than on Linux there is none.
  const mac = { os: 'darwin', cpu: 'arm64' }
  attempt('platform', { libc, here: mac }, () => checkPlatform({ _id: 'x@1.0.0', libc }, false, mac))
}

const current = {
  cpu: { name: 'x64' }, libc: { name: 'glibc' }, os: { name: 'linux', version: '6.8.0-45-generic' },
  packageManager: { name: 'npm', version: '11.19.1' }, runtime: { name: 'node', version: 'v20.20.2' },
}
const runtimes = [
  { name: 'node' }, { name: 'node', version: '>=20' }, { name: 'node', version: '>=99' }, { name: 'node', version: '' }, { name: 'node', version: 'v20.20.2' },
  { name: 'node', version: 'garbage in' }, { name: 'node', version: 5 }, { name: 'node', version: '20.20.2' }, { name: 'bun' }, { name: 'bun', version: '1' },
  { name: 5 }, { name: '' }, {}, { version: '1' }, { name: 'node', extra: 1 }, 'node', 5, null, [], [[]], [{ name: 'node' }], [{ name: 'bun' }, { name: 'node' }],
  [{ name: 'bun' }, { name: 'deno' }], [{ name: 'bun', onFail: 'ignore' }, { name: 'deno', onFail: 'warn' }], [{ name: 'bun' }, 5],
  { name: 'bun', onFail: 'ignore' }, { name: 'bun', onFail: 'warn' }, { name: 'bun', onFail: 'error' }, { name: 'bun', onFail: 'download' },
  { name: 'bun', onFail: 'other' }, { name: 'bun', onFail: 5 }, { name: 'node', onFail: '' }, { name: 'node', version: '>=20', onFail: 'warn' },
  { name: 'node', version: '>=99', onFail: 'warn' },
]
const all = [undefined, null, 5, 'x', [], {}, { unknown: 1 }, { constructor: {} }, { runtime: { name: 'node' }, unknown: {} },
  ...runtimes.map(runtime => ({ runtime })),
  { packageManager: { name: 'npm', version: '>=11' } }, { packageManager: { name: 'npm', version: '>=99' } }, { packageManager: { name: 'yarn', version: '1' } },
  { cpu: { name: 'x64' } }, { cpu: { name: 'arm64' } }, { cpu: { name: 'x64', version: '1' } }, { libc: { name: 'glibc' } }, { libc: { name: 'musl' } },
  { os: { name: 'linux' } }, { os: { name: 'linux', version: '>=5' } }, { os: { name: 'linux', version: '6.8.0-45-generic' } }, { os: { name: 'linux', version: '6.8' } }, { os: { name: 'win32' } },
  { runtime: { name: 'bun' }, packageManager: { name: 'yarn', onFail: 'warn' }, os: { name: 'win32', onFail: 'ignore' }, cpu: { name: 'x64' } },
]
for (const [c, name] of [[current, 'known'], [{ ...current, libc: { name: null }, runtime: { name: 'node' } }, 'unknown']]) {
  for (const wanted of all) {
    attempt('dev', { wanted, current: name }, () => checkDevEngines(wanted, c).map(e => ({
      engine: e.engine, message: e.message, problems: e.errors.map(x => x.message), isWarn: e.isWarn, isError: e.isError, current: e.current, required: e.required,
    })))
  }
}
process.stdout.write(out.map(x => JSON.stringify(x)).join('\n') + '\n')
