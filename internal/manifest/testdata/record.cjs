// Records what npm makes of manifests: node testdata/record.cjs NPM-DIR, from
// the package's folder. Writes normalize.json, edit.json and
// publish.json beside itself.
const fs = require('fs')
const os = require('os')
const path = require('path')
const npm = path.resolve(process.argv[2])
const mod = name => require(path.join(npm, 'node_modules', name))
const version = require(path.join(npm, 'package.json')).version
const PackageJson = mod('@npmcli/package-json')

const normalize = [
  ['nothing', '{}'],
  ['a string bin has the name of the package', '{"name":"a","bin":"./cli.js"}'],
  ['a string bin of a scoped package', '{"name":"@s/a","bin":"cli.js"}'],
  ['a string bin without a name', '{"bin":"cli.js"}'],
  ['an empty bin', '{"name":"a","bin":""}'],
  ['a list of bins', '{"name":"a","bin":["bin/one.js","two","./x/three/"]}'],
  ['bins that want to get out', '{"name":"a","bin":{"../../x":"../../../etc/passwd","/abs":"/abs/file","a\\\\b":"c\\\\d","c:d":"e:f","ok":"./ok.js",".":"x",  "..":"y","":"z","e":"","dir/":"d/","dots":"a/../b/./c//d"}}'],
  ['a cleaned bin takes the place of another', '{"name":"a","bin":{"z":"1.js","x/b":"2.js","b":"3.js","y/b":"4.js","10":"5.js","9":"6.js"}}'],
  ['bins that are no strings', '{"name":"a","bin":{"a":1,"b":null,"c":["x"],"d":"d.js"}}'],
  ['a bin that is a number', '{"name":"a","bin":7}'],
  ['a bin that is true', '{"name":"a","bin":true}'],
  ['a bin called __proto__', '{"name":"a","bin":{"__proto__":"x.js","b":"b.js"}}'],
  ['bundling everything, before optional dependencies leave', '{"bundleDependencies":true,"dependencies":{"b":"1","a":"1"},"optionalDependencies":{"b":"1"}}'],
  ['bundling everything of nothing', '{"bundleDependencies":true}'],
  ['bundling nothing', '{"bundleDependencies":false}'],
  ['bundling an object', '{"bundleDependencies":{"x":"1","1":"1"}}'],
  ['bundling a list', '{"bundleDependencies":["x","y"]}'],
  ['bundling a string', '{"bundleDependencies":"x"}'],
  ['bundling null', '{"bundleDependencies":null}'],
  ['bundledDependencies', '{"bundledDependencies":["x"]}'],
  ['both spellings', '{"bundleDependencies":["y"],"bundledDependencies":["x"]}'],
  ['null and the other spelling', '{"bundleDependencies":null,"bundledDependencies":["x"]}'],
  ['optional dependencies leave the others', '{"dependencies":{"a":"1","b":"1"},"optionalDependencies":{"b":"2"}}'],
  ['optional dependencies leave none', '{"dependencies":{"b":"1"},"optionalDependencies":{"b":"2"}}'],
  ['dependencies that are null', '{"dependencies":null,"optionalDependencies":null,"peerDependencies":null}'],
  ['indexes come first, a name given twice keeps its place', '{"dependencies":{"b":"1","10":"x","9":"y","a":"1","b":"2"}}'],
  ['scripts that are no strings', '{"scripts":{"install":1,"test":"x","a":null}}'],
  ['scripts that are no object', '{"scripts":"x"}'],
  ['an install script', '{"scripts":{"preinstall":"x"}}'],
  ['an empty install script', '{"scripts":{"install":""}}'],
  ['it says that it has an install script', '{"hasInstallScript":true}'],
  ['funding as a string', '{"funding":"https://example.com/\\u00e9"}'],
  ['funding as an empty string', '{"funding":""}'],
  ['funding as a list', '{"funding":["https://example.com",{"url":"x"}]}'],
  ['a license object', '{"license":{"type":"MIT","url":"x"}}'],
  ['a license object without a type', '{"license":{"name":"MIT"}}'],
  ['a list of licenses', '{"license":[{"type":"MIT"}]}'],
  ['a license that is false', '{"license":false}'],
  ['engines as a list', '{"engines":["node >= 0.4"]}'],
  ['empty things', '{"engines":{},"os":[],"cpu":"","funding":{},"dependencies":{}}'],
  ['os and cpu', '{"os":"linux","cpu":["x64","!arm"],"libc":"glibc"}'],
  ['leftovers of the registry', '{"_hasShrinkwrap":true,"_id":"x@1"}'],
  ['optional peers', '{"peerDependencies":{"a":"1","b":"2"},"peerDependenciesMeta":{"b":{"optional":true},"c":{"optional":false}}}'],
  ['a name that is no string', '{"name":7,"version":{}}'],
]

const fields = ['name', 'version', 'dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies',
  'peerDependenciesMeta', 'acceptDependencies', 'bundleDependencies', 'bin', 'engines', 'os', 'cpu', 'libc', 'license', 'funding',
  'workspaces', 'scripts']
const pick = content => {
  const out = {}
  for (const key of fields) {
    let value = content[key]
    if ((key === 'name' || key === 'version') && typeof value !== 'string') {
      continue
    }
    if (key === 'license' && value && typeof value === 'object' && value.type) {
      value = value.type
    }
    // An empty list of bundled packages is not the same as none.
    if (value && (key === 'bundleDependencies' || typeof value !== 'object' || Object.keys(value).length)) {
      out[key] = value
    }
  }
  const { install, preinstall, postinstall } = content.scripts || {}
  out.hasInstallScript = !!(content.hasInstallScript || install || preinstall || postinstall)
  out.hasShrinkwrap = !!content._hasShrinkwrap
  return out
}

const files = {
  tabs: '{\n\t"name": "a",\n\t"dependencies": {\n\t\t"b": "1"\n\t}\n}\n',
  twoSpaces: '{\n  "name": "a",\n  "list": ["x", "y"],\n  "devDependencies": {},\n  "version": "1.0.0",\n  "dependencies": {"z": "1", "b": "1"}\n}',
  windows: '{\r\n    "name": "a"\r\n}\r\n',
  oneLine: '{"name":"a","dependencies":{"b":"1"}}\n',
  blankLines: '{\n\n  "name": "a"\n}\n',
  strange: '{\n \n  "name": "a"\n}\n',
  long: '{\n              "name": "a"\n}\n',
  empty: '{}\n',
  emptyBare: '{}',
  bom: '\uFEFF{\n  "name": "a"\n}\n',
  escapes: '{\n  "name": "a", "d": "\\u00e9\\u2028\\ud800<\\/>",\n  "n": 1e3, "10": 1, "9": -0.0\n}\n',
  both: '{\n  "dependencies": {"p": "1", "a": "1"},\n  "peerDependencies": {"p": "1"}\n}\n',
  bundle: '{\n  "bundleDependencies": ["b"],\n  "dependencies": {"b": "1"}\n}\n',
}
const updates = {
  nothing: {},
  add: { dependencies: { b: '^2', 'a-b': '1', ab: '1', JSONStream: '1', '@s/x': '1', 10: '1' } },
  move: { devDependencies: { b: '1', A: '1', a: '2' }, optionalDependencies: { o: '1' }, dependencies: { o: '1', n: '1' } },
  peer: { peerDependencies: { p: '2', a: '1' }, dependencies: { c: '1' }, bundleDependencies: ['c', 'a'] },
  bundled: { bundleDependencies: [] },
}

const publish = [
  ['nothing', {}, {}],
  ['a name with blanks', { name: ' a ', version: ' v1.2.3 ' }],
  ['a bad name', { name: 'a b' }],
  ['a name that starts with a dot', { name: '.a' }],
  ['a name that is no string', { name: 7 }],
  ['capitals and odd signs', { name: "A~!'()*", version: '=1.0' }],
  ['a scoped name', { name: '@S/a', version: '1.0.0-beta' }],
  ['a loose version', { name: 'a', version: '=v01.2.3beta' }],
  ['a version with build data', { name: 'a', version: '1.2.3+build' }],
  ['leftovers', { name: 'a', version: '1.0.0', _id: 'x', _from: 'y', z: 1 }],
  ['the main parts', { name: 'a', version: '1.0.0', bin: './cli.js', repository: 'user/repo', bugs: 'me@example.com', author: 'Me <me@example.com> (https://example.com)', contributors: ['A', { name: 'B', mail: 'b@example.com', web: 'x' }, '<c@d.e>', '(f)'], keywords: 'a, b,c,  d', bundledDependencies: ['x'], dependencies: { y: 'user/y', z: '^1' } }],
  ['a repository object', { repository: { type: 'git', url: 'git://github.com/user/repo.git' } }],
  ['a repository elsewhere', { repository: { type: 'git', url: 'https://example.com/x.git' } }],
  ['a repository by ssh', { repository: 'git@github.com:user/repo.git' }],
  ['a repository that is a gist', { repository: 'gist:abcdef' }],
  ['repositories', { repositories: [{ url: 'https://github.com/a/b' }] }],
  ['dependencies as text', { dependencies: 'a@1 b, c>=2', devDependencies: ['x@^1', 'y >= 2', 7, '@s/z@1'], optionalDependencies: ['o'] }],
  ['dependencies that are none', { dependencies: 7, devDependencies: { a: 1, b: 'github:u/r#v1', c: 'git+ssh://git@github.com/u/r.git' } }],
  ['scripts', { scripts: { a: './node_modules/.bin/x y', b: 'node_modules/.bin/z', c: 7, d: '.\\node_modules\\.bin\\w', e: 'x/node_modules/.bin/y', f: 'node_modules/xbin/q' } }],
  ['bundling everything', { bundleDependencies: true, dependencies: { a: '1' } }],
  ['bundling nothing', { bundleDependencies: false }],
  ['bundling an object', { bundleDependencies: { a: '1' } }],
  ['bundling what is no dependency', { bundleDependencies: ['a', 7, '', 'b'], dependencies: { b: '1' } }],
  ['files and man', { files: 'x', man: './a.1', modules: {} }],
  ['a list of files', { files: ['a', '', 7, 'b'], man: ['./a.1', '../../b.2', 7] }],
  ['keywords that are no list', { keywords: { a: 1 } }],
  ['a list of keywords', { keywords: ['a', '', 7] }],
  ['bugs as a URL', { bugs: 'https://example.com/bugs' }],
  ['bugs as words', { bugs: 'ask me' }],
  ['bugs as an object', { bugs: { web: 'https://example.com/w', email: 'a@b.c', url: 'not a url', other: 1 } }],
  ['a homepage without a scheme', { homepage: 'example.com/x' }],
  ['a homepage that is no string', { homepage: { url: 'x' } }],
  ['a homepage from the repository', { repository: 'gitlab:u/r' }],
  ['a description that is no string', { description: ['x'] }],
  ['an empty description', { description: '' }],
  ['a main that is no string', { main: {} }],
  ['readmes', {}, { 'README.txt': 'text', 'readme.md': '# Title\n\nFirst line\nsecond line\n\nrest', 'README': 'plain' }],
  ['a plain readme', {}, { README: '\n# T\n## U\nWhat it is.\n' }],
  ['a readme in text', {}, { 'README.txt': 'x' }],
  ['a readme of nothing but headings', {}, { 'README.md': '# A\n# B' }],
  ['authors', {}, { AUTHORS: '# who\nA <a@b.c>\r\n\n  B (x)  \n' }],
  ['overrides', { overrides: { a: '1' } }],
  ['overrides of nothing', { name: 'a', overrides: {} }],
  ['overrides that are no object', { overrides: ['a'] }],
  ['a server', {}, { 'server.js': '' }],
  ['a gyp file', { scripts: { test: 'x' } }, { 'binding.gyp': '{}' }],
  ['a gyp file that is not to be built', { gypfile: false }, { 'binding.gyp': '{}' }],
  ['a gyp file and a script of its own', { scripts: { preinstall: 'x' } }, { 'binding.gyp': '{}' }],
  ['types', { main: './lib/x.cjs' }, { 'lib/x.d.ts': '' }],
  ['types of the index', {}, { 'index.d.ts': '' }],
  ['types that are given', { typings: 'y' }, { 'index.d.ts': '' }],
  ['a folder of executables', { name: 'a', directories: { bin: './bin' } }, { 'bin/a': '', 'bin/b/c': '', 'bin/.d': '' }],
  ['a folder of pages', { directories: { man: 'man' } }, { 'man/a.1': '', 'man/deep/b.2': '', 'man/c.txt': '' }],
  ['a commit on a branch', {}, { '.git/HEAD': 'ref: refs/heads/main\n', '.git/refs/heads/main': '0123456789012345678901234567890123456789\n' }],
  ['a commit in packed refs', {}, { '.git/HEAD': 'ref: refs/heads/main\n', '.git/packed-refs': '# pack\n1111111111111111111111111111111111111111 refs/heads/other\n2222222222222222222222222222222222222222 refs/heads/main\n' }],
  ['a commit by itself', {}, { '.git/HEAD': '3333333333333333333333333333333333333333\n' }],
]
const sorted = value => value && typeof value === 'object' && !Array.isArray(value)
  ? Object.fromEntries(Object.keys(value).sort().map(key => [key, sorted(value[key])])) : value

const recordPublish = async () => {
  const cases = []
  for (const [name, content, files = {}] of publish) {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'record-'))
    for (const [file, text] of Object.entries({ ...files, 'package.json': JSON.stringify(content) })) {
      fs.mkdirSync(path.dirname(path.join(dir, file)), { recursive: true })
      fs.writeFileSync(path.join(dir, file), text)
    }
    const out = { name, content, files }
    const changes = []
    try {
      out.fixed = JSON.stringify((await PackageJson.fix(dir, { changes })).content)
      out.changes = changes.length > 0
    } catch (er) {
      out.fixError = true
    }
    try {
      // What the files fill in comes in an order that hangs on the disk.
      const { man, bin, ...prepared } = (await PackageJson.prepare(dir)).content
      out.prepared = JSON.stringify(prepared)
      out.man = JSON.stringify(man ? man.sort() : null)
      out.bin = JSON.stringify(bin ? sorted(bin) : null)
    } catch (er) {
      out.prepareError = true
    }
    cases.push(out)
    fs.rmSync(dir, { recursive: true })
  }
  fs.writeFileSync(path.join(__dirname, 'publish.json'), JSON.stringify({ npm: version, cases }, null, 1) + '\n')
}

const main = async () => {
  await recordPublish()
  const cases = []
  for (const [name, text] of normalize) {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'record-'))
    fs.writeFileSync(path.join(dir, 'package.json'), text)
    const out = { name, text }
    const steps = PackageJson.normalizeSteps.filter(s => s !== '_attributes')
    const published = await new PackageJson().fromContent(JSON.parse(text)).normalize({ steps })
    out.published = JSON.stringify(pick(published.content))
    const disk = await PackageJson.normalize(dir)
    out.disk = JSON.stringify(pick(disk.content))
    cases.push(out)
    fs.rmSync(dir, { recursive: true })
  }
  fs.writeFileSync(path.join(__dirname, 'normalize.json'), JSON.stringify({ npm: version, cases }, null, 1) + '\n')

  const edits = []
  for (const [file, text] of Object.entries(files)) {
    for (const [name, update] of Object.entries(updates)) {
      const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'record-'))
      fs.writeFileSync(path.join(dir, 'package.json'), text)
      const { dependencies = {}, devDependencies = {}, optionalDependencies = {}, peerDependencies = {}, bundleDependencies } =
        JSON.parse(JSON.stringify(update))
      const pkg = await PackageJson.load(dir)
      pkg.update({ dependencies, devDependencies, optionalDependencies, peerDependencies, bundleDependencies })
      await pkg.save()
      edits.push({ name: `${file}, ${name}`, text, update, after: fs.readFileSync(path.join(dir, 'package.json'), 'utf8') })
      fs.rmSync(dir, { recursive: true })
    }
  }
  fs.writeFileSync(path.join(__dirname, 'edit.json'), JSON.stringify({ npm: version, cases: edits }, null, 1) + '\n')
}
main()
