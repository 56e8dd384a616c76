// Records what npm makes of locks: node testdata/record.cjs NPM-DIR, from the
// package's folder. Writes inflate.json, conflict.json,
// write.json and yarn.json beside itself. The locks in npm/ are what npm 11.19.1 wrote.
const fs = require('fs')
const os = require('os')
const path = require('path')
const npm = path.resolve(process.argv[2])
const mod = name => require(path.join(npm, 'node_modules', name))
const version = require(path.join(npm, 'package.json')).version
const Shrinkwrap = mod('@npmcli/arborist/lib/shrinkwrap.js')
const parseConflict = mod('parse-conflict-json')
const stringify = mod('json-stringify-nice')

const inflate = [
  ['a version with integrity', {}, { version: '1.0.0', resolved: 'https://registry.npmjs.org/a/-/a-1.0.0.tgz', integrity: 'sha512-AAAA' }],
  ['a version without integrity', {}, { version: '1.0.0', resolved: 'https://registry.npmjs.org/a/-/a-1.0.0.tgz' }],
  ['a version alone', {}, { version: '1.0.0' }],
  ['nothing at all', {}, {}],
  ['a range for a version', {}, { version: '^1.0.0' }],
  ['a git repository on a known host', {}, { version: 'github:user/project#0123456789012345678901234567890123456789', from: 'github:user/project' }],
  ['a git URL with a credential', {}, { version: 'git+https://user:word@github.com/user/project.git#0123456789012345678901234567890123456789', from: 'git+https://user:word@github.com/user/project.git' }],
  ['a git repository elsewhere', {}, { version: 'git+ssh://git@example.com/x.git#abc', from: 'git+ssh://git@example.com/x.git' }],
  ['a folder', {}, { version: 'file:packages/a', dependencies: { inner: { version: '2.0.0', integrity: 'sha512-AAAA' } } }],
  ['a folder above', {}, { version: 'file:../elsewhere' }],
  ['a tarball file', {}, { version: 'file:vendor/a-1.2.3.tgz', integrity: 'sha512-AAAA' }],
  ['a tarball file of another name', {}, { version: 'file:vendor/b-1.2.3.tgz' }],
  ['a tarball URL', {}, { version: 'https://example.com/a-3.2.1.tgz', integrity: 'sha512-AAAA' }],
  ['a tarball URL like a registry\'s', {}, { version: 'https://example.com/npm/@s/other/-/other-3.2.1.tgz' }],
  ['a tarball URL that tells nothing', {}, { version: 'https://example.com/download?id=1' }],
  ['an alias', {}, { version: 'npm:real@1.0.0', resolved: 'https://registry.npmjs.org/real/-/real-1.0.0.tgz', integrity: 'sha512-AAAA' }],
  ['an alias without integrity', {}, { version: 'npm:real@1.0.0', resolved: 'https://registry.npmjs.org/real/-/real-1.0.0.tgz' }],
  ['an old entry with "from"', {}, { version: '1.0.0', from: 'a@^1.0.0', resolved: 'https://registry.npmjs.org/a/-/a-1.0.0.tgz' }],
  ['an old entry with "from" a tarball', {}, { version: '1.0.0', from: 'https://example.com/a.tgz', resolved: 'https://example.com/a.tgz' }],
  ['an old entry with "from" a repository', {}, { version: '1.0.0', from: 'git://github.com/user/project.git', resolved: 'git://github.com/user/project.git#abc' }],
  ['only "resolved"', {}, { resolved: 'https://registry.npmjs.org/a/-/a-1.0.0.tgz' }],
  ['a version that nobody can read', {}, { version: '!!!' }],
  ['bundled and nested', {}, { version: '1.0.0', integrity: 'sha512-AAAA', dependencies: { inner: { version: '2.0.0', bundled: true, dependencies: { '@s/deep': { version: '3.0.0', bundled: true } } } } }],
  ['development and optional', {}, { version: '1.0.0', integrity: 'sha512-AAAA', dev: true, optional: true }],
]
const trees = inflate.map(([name, pkg, entry]) => [name, pkg, { name: 'app', version: '1.0.0', lockfileVersion: 1, requires: true, dependencies: { a: entry } }])
trees.push(
  ['requires become dependencies, optional ones where only they are', {}, {
    name: 'app', lockfileVersion: 1, requires: true, dependencies: {
      a: { version: '1.0.0', integrity: 'sha512-AAAA', requires: { b: '^1', c: '^1', d: '^1', missing: '*', inner: '1' }, dependencies: { inner: { version: '1.0.0', integrity: 'sha512-AAAA', optional: true, requires: { c: '1', a: '1' } } } },
      b: { version: '1.0.0', integrity: 'sha512-AAAA' },
      c: { version: '1.0.0', integrity: 'sha512-AAAA', optional: true, requires: { d: '1' } },
      d: { version: '1.0.0', integrity: 'sha512-AAAA', dev: true },
    },
  }],
  ['the root comes from package.json', { name: 'other', version: '9.0.0', license: { type: 'MIT', url: 'x' }, dependencies: { a: '^1', o: '1' }, optionalDependencies: { o: '1' }, devDependencies: { d: '1' }, engines: { node: '>=1' }, bin: './cli.js', funding: 'https://example.com', workspaces: ['packages/*'], scripts: { install: 'x' } }, {
    name: 'app', version: '1.0.0', lockfileVersion: 1, requires: true, dependencies: { a: { version: '1.0.0', integrity: 'sha512-AAAA' } },
  }],
  ['a lock without a version or requires', {}, { dependencies: { a: { version: '1.0.0' }, '7': { version: '1.0.0' } } }],
  ['packages that are there win', {}, { lockfileVersion: 2, packages: { '': { name: 'app' } }, dependencies: { a: { version: '1.0.0' } } }],
)

const j = v => JSON.stringify(v, null, 2) + '\n'
const conflict = (parent, ours, theirs) => '<<<<<<< HEAD\n' + j(ours) + (parent ? '||||||| base\n' + j(parent) : '') + '=======\n' + j(theirs) + '>>>>>>> branch\n'
const entry = (version, more) => ({ version, integrity: 'sha512-' + version, ...more })
const lock = packages => ({ name: 'app', lockfileVersion: 3, requires: true, packages })
const base = { '': { name: 'app', dependencies: { a: '1' } }, 'node_modules/a': entry('1.0.0'), 'node_modules/b': entry('1.0.0', { os: ['linux', 'darwin', 'win32'] }) }
const conflicts = [
  ['each side adds', conflict(lock(base), lock({ ...base, 'node_modules/c': entry('1.0.0') }), lock({ ...base, 'node_modules/d': entry('1.0.0') }))],
  ['both change one version, ours wins', conflict(lock(base), lock({ ...base, 'node_modules/a': entry('1.1.0') }), lock({ ...base, 'node_modules/a': entry('1.2.0') }))],
  ['ours removes, theirs changes', conflict(lock(base), lock({ '': base[''], 'node_modules/b': base['node_modules/b'] }), lock({ ...base, 'node_modules/a': entry('1.2.0') }))],
  ['theirs removes, ours changes', conflict(lock(base), lock({ ...base, 'node_modules/a': entry('1.2.0') }), lock({ '': base[''], 'node_modules/b': base['node_modules/b'] }))],
  ['ours adds inside of what theirs removed', conflict(lock(base), lock({ ...base, 'node_modules/a': entry('1.0.0', { dependencies: { x: '1' } }) }), lock({ '': base[''] }))],
  ['an array loses its first item', conflict(lock(base), lock({ ...base, 'node_modules/b': entry('1.0.0', { os: ['darwin', 'win32'] }) }), lock(base))],
  ['an array loses its last item', conflict(lock(base), lock({ ...base, 'node_modules/b': entry('1.0.0', { os: ['linux', 'darwin'] }) }), lock(base))],
  ['an array loses an item and theirs made it a string', conflict(lock(base), lock({ ...base, 'node_modules/b': entry('1.0.0', { os: ['win32'] }) }), lock({ ...base, 'node_modules/b': entry('1.0.0', { os: 'linux' }) }))],
  ['arrays grow on both sides', conflict(lock(base), lock({ ...base, 'node_modules/b': entry('1.0.0', { os: ['linux', 'darwin', 'win32', 'aix'] }) }), lock({ ...base, 'node_modules/b': entry('1.0.0', { os: ['linux', 'sunos', 'darwin', 'win32', 'x'] }) }))],
  ['an object becomes an array', conflict(lock(base), lock({ ...base, 'node_modules/b': entry('1.0.0', { engines: ['node >= 1'] }) }), lock({ ...base, 'node_modules/b': entry('1.0.0', { engines: { node: '1' } }) }))],
  ['names that every object has', conflict(lock(base), lock({ ...base, 'node_modules/c': entry('1.0.0', { dependencies: { constructor: '1' } }) }), lock({ ...base, 'node_modules/c': entry('1.0.0', { dependencies: { toString: '1' } }) }))],
  ['names that every object has, changed', conflict(lock({ ...base, 'node_modules/c': { dependencies: { constructor: '1' } } }), lock({ ...base, 'node_modules/c': { dependencies: { constructor: '2' } } }), lock({ ...base, 'node_modules/c': { dependencies: { constructor: '3' } } }))],
  ['a conflict in the middle, with a base', '{\n  "name": "app",\n  "lockfileVersion": 3,\n  "packages": {\n    "node_modules/a": {\n<<<<<<< HEAD\n      "version": "2.0.0"\n||||||| 1234\n      "version": "1.0.0"\n=======\n      "version": "3.0.0",\n      "dev": true\n>>>>>>> x\n    }\n  }\n}\n'],
  ['windows line breaks', '{\r\n  "name": "app",\r\n  "packages": {\r\n<<<<<<< HEAD\r\n    "node_modules/a": {"version": "2.0.0"}\r\n|||||||\r\n=======\r\n    "node_modules/b": {"version": "3.0.0"}\r\n>>>>>>> x\r\n  }\r\n}\r\n'],
  ['no base, which is no JSON', '<<<<<<< HEAD\n{"a":1}\n=======\n{"a":2}\n>>>>>>> x\n'],
  ['a broken side', '{\n<<<<<<< HEAD\n"a":1\n|||||||\n"a":0\n=======\n"a":\n>>>>>>> x\n}'],
  ['marks inside of a string', '{"a":"<<<<<<< ======= >>>>>>>"}'],
]

// Locks with what is hard to sort, and the indents and line breaks that a
// package.json can lead to.
const odd = {
  name: 'app', version: '1.0.0', lockfileVersion: 3, requires: true,
  packages: {
    '': { name: 'app', version: '1.0.0', dependencies: { version: '1', name: '1', 10: '1', 9: '1', 'a-b': '1', ab: '1', a_b: '1', JSONStream: '1', jsonstream: '1', '@s/x': '1', dependencies: '1', resolved: '2' }, workspaces: { packages: ['packages/*'] } },
    'node_modules/version': { version: '1.0.0', resolved: 'x', funding: [{ url: 'x', type: 'y' }, 'z'], license: { name: 'x', url: 'y' }, engines: ['node >= 1'] },
    packages: { name: 'p', version: '1.0.0' },
    'packages/a': { version: '1.0.0', unknown: { z: 1, a: [{ q: { b: 1, a: 1 }, b: 1, a: 1 }] }, 'also-unknown': true },
    10: { version: '1.0.0' },
    9: { link: true, resolved: 'a' },
    'node_modules/é': { version: '1.0.0', description: '\u2028<&>\ud800\u0001', peerDependenciesMeta: { b: { optional: true }, a: 1, c: {} }, peerDependencies: { b: '1' } },
    '../x': { version: '1.0.0' },
    name: { version: '1.0.0' },
  },
  zebra: 1, 'extra-object': { b: 1, a: { y: 1, x: 1 } }, array: [3, 1, 2],
}
const two = { ...odd, lockfileVersion: 2, dependencies: { b: { version: '1', requires: { x: '1' }, dependencies: { z: { version: '1' }, y: { version: '1' } } }, a: { integrity: 'i', version: '1', dev: true, bundled: true, from: 'x' } } }
const formats = [['  ', '\n'], ['\t', '\r\n'], ['', ''], ['    ', '\n\n'], ['              ', '\n'], [' \n ', '\r\n']]
const write = []
for (const data of [odd, two]) {
  for (const [indent, newline] of formats) {
    write.push({ lock: data, indent, newline, text: stringify(data, Shrinkwrap.keyOrder, indent || 2).replace(/\n/g, newline || '\n') })
  }
}

const YarnLock = mod('@npmcli/arborist/lib/yarn-lock.js')
const yarns = [
  ['the usual', '# THIS IS AN AUTOGENERATED FILE. DO NOT EDIT THIS FILE DIRECTLY.\n# yarn lockfile v1\n\n\n"@babel/code-frame@^7.0.0", "@babel/code-frame@^7.1.0":\n  version "7.1.0"\n  resolved "https://registry.yarnpkg.com/@babel/code-frame/-/code-frame-7.1.0.tgz#abc"\n  integrity sha512-x==\n  dependencies:\n    js-tokens "^4.0.0"\n    "@babel/highlight" "^7.0.0"\n\nabbrev@1, abbrev@^1.0.0:\n  version "1.1.1"\n  resolved "https://registry.yarnpkg.com/abbrev/-/abbrev-1.1.1.tgz#f8f2"\n  integrity sha512-y==\n  optionalDependencies:\n    fsevents "^1.0.0"\n'],
  ['what npm does not know', 'a@1:\n  version "1.0.0"\n  uid "x"\n  registry "y"\n  zebra "z"\n  apple "a"\n  peers:\n    b "1"\n    a "2"\n'],
  ['quotes with delimiters inside', '"a@1 || 2", "b@>=1, <2":\n  version "1.0.0"\n  dependencies:\n    c ">= 1"\n    "d d" "1 || 2 || 3"\n    e true\n    f "2"\n    "9" "1"\n'],
  ['windows line breaks', 'a@1:\r\n  version "1.0.0"\r\n\r\nb@1:\r\n  version "2"\r\n'],
  ['no line break at the end', 'a@1:\n  version "1.0.0"'],
  ['nothing', ''],
  ['only comments', '# a\n# b\n'],
  ['a bad line after a good entry', 'a@1:\n  version "1.0.0"\n\n!!!\n\nb@1:\n  version "1"\n'],
  ['a list before an entry', '  dependencies:\n    a "1"\n'],
  ['a new format', '__metadata:\n  version: 6\n\n"a@npm:1":\n  version: 1.0.0\n  resolution: "a@npm:1.0.0"\n'],
  ['sorting', '"@s/b@1":\n  version "1"\n\nb@1:\n  version "1"\n\n"a-b@1":\n  version "1"\n\nA@1:\n  version "1"\n\nab@1:\n  version "1"\n\na@1, "a@^1 || ^2":\n  version "1"\n'],
  ['one spec twice', 'a@1:\n  version "1"\n\na@1, a@2:\n  version "2"\n'],
  ['too much on a line', 'a@1:\n  version "1" "2"\n'],
].map(([name, text]) => {
  const lock = new YarnLock()
  let error = false
  try {
    lock.parse(text)
  } catch {
    error = true
  }
  return { name, text, error, entries: lock.entries.size, written: lock.toString() }
})
const yarnTrees = [
  ['specs that mean one thing', [
    ['a', ['^1', '1.x', '^1'], { version: '1.0.0', resolved: 'https://registry.npmjs.org/a/-/a-1.0.0.tgz', integrity: 'sha512-a', dependencies: { b: '>= 1', '@s/c': '*' } }],
    ['a', ['^1', '^1.1'], { version: '1.1.0', resolved: 'https://registry.npmjs.org/a/-/a-1.1.0.tgz', integrity: 'sha512-a1' }],
    ['a', ['1.x', '1', '*'], { version: '1.0.0', resolved: 'https://registry.npmjs.org/a/-/a-1.0.0.tgz', integrity: 'sha512-a', optionalDependencies: { z: '1' } }],
    ['b', ['>= 1'], { version: '2.0.0' }],
    ['b', ['>= 1', '>= 2'], { version: '2.0.0', integrity: 'sha512-b', dependencies: {} }],
    ['c', [], { version: '1.0.0' }],
    ['d', ['3', '2', '1'], { version: '1.0.0' }],
    ['d', ['0', '4', '1', '2', '5'], { version: '1.0.0' }],
  ]],
].map(([name, nodes]) => {
  const lock = new YarnLock()
  lock.entries = new Map()
  for (const [name, specs, { dependencies, optionalDependencies, ...node }] of nodes) {
    lock.addEntryFromNode({ ...node, name, edgesIn: specs.map(spec => ({ spec })), package: { dependencies, optionalDependencies }, path: '/p/x', root: { path: '/p' } })
  }
  return { name, nodes, written: lock.toString() }
})

const main = async () => {
  fs.writeFileSync(path.join(__dirname, 'yarn.json'), JSON.stringify({ npm: version, cases: yarns, trees: yarnTrees }, null, 1) + '\n')
  fs.writeFileSync(path.join(__dirname, 'write.json'), JSON.stringify({ npm: version, cases: write }, null, 1) + '\n')
  const out = []
  for (const [name, pkg, lock] of trees) {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'record-'))
    fs.writeFileSync(path.join(dir, 'package.json'), JSON.stringify(pkg))
    fs.writeFileSync(path.join(dir, 'package-lock.json'), JSON.stringify(lock))
    const s = await Shrinkwrap.load({ path: dir })
    const raw = JSON.parse(JSON.stringify(s.data.packages))
    out.push({ name, package: pkg, lock, order: Object.keys(raw), packages: stringify(raw, Shrinkwrap.keyOrder) })
    fs.rmSync(dir, { recursive: true })
  }
  fs.writeFileSync(path.join(__dirname, 'inflate.json'), JSON.stringify({ npm: version, cases: out }, null, 1) + '\n')
  fs.writeFileSync(path.join(__dirname, 'conflict.json'), JSON.stringify({
    npm: version,
    cases: conflicts.map(([name, text]) => {
      try {
        return { name, text, merged: JSON.stringify(parseConflict(text)) }
      } catch (er) {
        return { name, text, error: true }
      }
    }),
  }, null, 1) + '\n')
}
main()
