// Records what npm makes of specs.
//
//   node record.js NPM > specs.jsonl           the table of the tests
//   node record.js NPM random SEED N > x.jsonl  N random specs, for
//                                               go test -args -recording x.jsonl
//
// The first line is a header with npm's version, each further line one case:
// {os, fn, args, result | error}. The Windows flavour is npm's own code run
// with process.platform set, on any machine.
'use strict'
const path = require('path')
const npm = path.resolve(process.argv[2] || '/usr/lib/node_modules/npm')
const { version } = require(path.join(npm, 'package.json'))

const specs = `
foo
foo@
foo@*
foo@latest
foo@1
foo@1.2
foo@1.2.3
foo@=1.2.3
foo@v1.2.3
foo@ 1.2.3 
foo@1.2.3beta
foo@01.02.03
foo@^1.2.3
foo@~1.2.3
foo@>=1 <2
foo@>1,<2
foo@1 || 2
foo@1.x
foo@x
foo@1.2.3 - 2
foo@next
foo@beta.1
foo@a b
foo@tag!
foo@(tag)
foo@tag%20
foo@tag~
foo@1.2.3.4
foo@!=1.2.3
foo@> = 1
@scope/foo
@scope/foo@
@scope/foo@1.2.3
@scope/foo@next
@scope/foo@^1 || ^2
@scope/foo@npm:bar@1
@scope
@scope/
@/foo
@scope/foo/bar
@scope/foo/bar@1
@a@b/c
@scope/.foo
@scope/_foo
@sc ope/foo
.foo
_foo
-foo
-foo@1
_foo@1
node_modules
node_modules@1
favicon.ico
NODE_MODULES@1
Foo
FOO@1
foo bar
foo bar@1
foo~bar
foo!
foo'(x)*
http
http@1
f%C3%A9e
fée
fée@1
foo/bar
foo/bar#baz
foo/bar#semver:^1.2.3
foo/bar#semver:%5E1.2
foo/bar#semver:
foo/bar#semver:%zz
foo/bar#path:dist
foo/bar#path:/dist
foo/bar#v1::path:dist
foo/bar#path:dist::v1
foo/bar#path:a::path:b
foo/bar#v1::v2
foo/bar#v1::semver:1
foo/bar#semver:1::v1
foo/bar#semver:1::semver:2
foo/bar#semver:1::path:x
foo/bar#name:value
foo/bar#name:value:more::x
foo/bar#semver:1:2
foo/bar#a@b
foo/bar#a/b
foo/bar#a b
foo/bar#%61
foo/bar#%zz
foo/bar#
foo/bar/
foo/bar/#x
foo/bar.git
foo/bar.git#v1
foo/bar/baz
foo//bar
foo /bar
foo/b ar
foo/bar.tgz
foo/bar.tar.gz#x
name@foo/bar
name@foo/bar#v1
name@foo/bar#semver:~1
@scope/name@foo/bar
name@foo/bar/baz
name@foo@bar/baz
github:foo/bar
github:foo/bar#v1
github:foo/bar.git#v1
github:foo
github:/foo
github:/foo/bar
github:
github:foo/bar/baz
github:user:pw@foo/bar
github:user@foo/bar#x
github:foo/b%20r
github:foo/b%zzr
github:foo/bar?x=1#y
GitHub:foo/bar
GITHUB:foo/bar
github://foo/bar
gitlab:foo/bar
gitlab:foo/bar/baz
gitlab:foo/bar/baz#v1
gitlab:foo/bar.git
bitbucket:foo/bar
bitbucket:foo/bar#x
gist:abcdef
gist:user/abcdef
gist:abcdef#rev
gist:abcdef.git
sourcehut:~user/repo
sourcehut:~user/repo#main
name@github:foo/bar
name@gitlab:a/b/c#semver:^2
name@gist:abc
name@sourcehut:~user/repo
git@github.com:foo/bar
git@github.com:foo/bar.git
git@github.com:foo/bar.git#v1
git@github.com:foo/bar.git#semver:^1
git@github.com/foo/bar
name@git@github.com:foo/bar.git
user@github.com:foo/bar
git@gitlab.com:foo/bar/baz.git
git@bitbucket.org:foo/bar.git
git@gist.github.com:abcdef.git
git@git.sr.ht:~user/repo
git@example.com:foo/bar.git
git@example.com:foo/bar.git#v1
git@example.com:22/foo/bar.git
git@localhost:foo/bar.git
git+ssh://git@github.com/foo/bar.git
git+ssh://git@github.com/foo/bar.git#v1
git+ssh://git@github.com:foo/bar.git
git+ssh://git@github.com:foo/bar.git#v1
git+ssh://git@github.com:22/foo/bar.git
git+ssh://github.com/foo/bar
git+ssh://user:pw@github.com/foo/bar
git+ssh://git@GitHub.com/foo/bar
git+ssh://git@example.com/foo/bar.git
git+ssh://git@example.com/foo/bar.git#v1
git+ssh://git@example.com/foo/bar.git#semver:^1
git+ssh://git@example.com:foo/bar.git
git+ssh://git@example.com:foo/bar.git#v1::path:x
git+ssh://git@example.com:2222/foo/bar.git
git+ssh://git@example.com:2222:foo/bar.git
git+ssh://git@example.com:12abc/foo
git+ssh://example.com:foo
git+ssh://:foo
git+ssh:foo
git+ssh://
git+ssh://ex ample.com/foo
GIT+SSH://git@example.com:foo/bar
ssh://git@github.com/foo/bar
ssh://git@github.com:foo/bar
ssh://git@example.com/foo/bar
ssh://git@gitlab.com/a/b/c.git#x
git+https://github.com/foo/bar
git+https://github.com/foo/bar.git#v1
git+https://user@github.com/foo/bar
git+https://user:pw@github.com/foo/bar#x
git+https://:pw@github.com/foo/bar#x
git+https://user%40x:p%3Aw@github.com/foo/bar
git+https://gitlab.com/a/b.git
git+https://user:pw@gitlab.com/a/b/c.git
git+https://bitbucket.org/a/b
git+https://user@bitbucket.org/a/b
git+https://gist.github.com/user/abc
git+https://gist.github.com/abc#x
git+https://user:pw@gist.github.com/abc
git+https://git.sr.ht/~a/b
git+https://example.com/foo/bar
git+https://example.com/foo/bar.git#v1
git+https://user:pw@example.com:8443/foo/bar.git#semver:1.x
git+https://example.com/foo/../bar#x
git+https://example.com#x
git+https://example.com/a b{c}#d e
git+https://EXAMPLE.com/Foo
git+https://example.com/x?y=1#z
git+https:example.com/x
git+http://github.com/foo/bar
git+http://example.com/foo/bar#v1
git+ftp://example.com/x#y
git+rsync://example.com/x#y
git+file:///a/b.git
git+file:///a/b.git#v1
git+file://a/b
git+file://C:/a/b.git#v1
git+file://c:\\a\\b
git+file:a/b
git+foo://example.com/x
git://github.com/foo/bar
git://github.com/foo/bar.git#v1
git://user:pw@github.com/foo/bar.git
git://gitlab.com/foo/bar
git://gist.github.com/abc#1
git://example.com/foo#bar
git://example.com/foo#a::semver:1
git:foo/bar
git:github.com:foo/bar
http://github.com/foo/bar
http://github.com/foo/bar#x
http://gitlab.com/foo/bar
https://github.com/foo/bar
https://github.com/foo/bar.git
https://github.com/foo/bar.git#v1
https://user:pw@github.com/foo/bar
https://www.github.com/foo/bar
https://GitHub.com/foo/bar
https://github.com/foo
https://github.com/foo/
https://github.com/foo/bar/
https://github.com/foo/bar/tree
https://github.com/foo/bar/tree/
https://github.com/foo/bar/tree/v1
https://github.com/foo/bar/tree/feature/x
https://github.com/foo/bar/tree/v1#v2
https://github.com/foo/bar/blob/x
https://github.com/foo/bar/archive/v1.tar.gz
https://github.com/foo/bar/releases/download/v1/x.tgz
https://github.com//foo/bar
https://codeload.github.com/foo/bar/tar.gz/v1
https://gitlab.com/foo/bar
https://gitlab.com/foo/bar/baz.git#x
https://gitlab.com/foo
https://gitlab.com/foo/bar/-/archive/v1/x.tar.gz
https://gitlab.com/foo/bar/repository/archive.tar.gz?ref=x
https://bitbucket.org/foo/bar
https://bitbucket.org/foo/bar/get/x.tar.gz
https://bitbucket.org/foo/bar/src/main
https://gist.github.com/abc
https://gist.github.com/user/abc.git
https://gist.github.com/user/abc/raw/x
https://gist.github.com/
https://git.sr.ht/~user/repo
https://git.sr.ht/~user/repo#x
https://git.sr.ht/~user/repo/archive/v1.tar.gz
https://git.sr.ht/~user
https://registry.npmjs.org/foo/-/foo-1.0.0.tgz
https://example.com/foo.tgz
https://example.com/foo.tgz#frag
https://user:pw@example.com/foo.tgz
http://example.com/foo
HTTP://example.com/foo
https:example.com
https://
https://ex ample.com/x
https://example.com:99999/
name@https://example.com/foo.tgz
name@https://github.com/foo/bar
@scope/name@https://example.com/foo.tgz
name@http://x
npm:foo
npm:foo@1
npm:foo@^1.2
npm:@scope/foo@1
npm:
npm:@1
npm:npm:foo@1
npm:foo/bar
npm:./foo
npm:https://x/y
npm:foo@a b
NPM:foo@1
name@npm:foo
name@npm:foo@1.2.3
name@npm:foo@latest
name@npm:@scope/foo@^1
name@npm:foo@npm:bar
name@npm:foo@github:a/b
name@npm: foo@1
workspace:*
name@workspace:*
name@workspace:^1
name@link:../x
name@portal:../x
name@catalog:
name@patch:x
name@jsr:^1
file:foo
file:./foo
file:../foo
file:foo.tgz
file:/abs/foo
file:///abs/foo
file://abs/foo
file:////abs/foo
file:/../foo
file:/./foo
file:///../foo
file:///./foo
file:/..
file:/.
file:///..
file://../foo
file://./foo
file:.
file:..
file:
file:/
file://
file:///
file:~/foo
file:~
file:/~/foo
file:~foo
file:foo/../bar
file:foo//bar
file:foo/
file:foo bar
file:foo%20bar
file:foo#bar
file:foo?bar
file:foo[1]
file:foo\\bar
file:fée
file:%2e%2e/foo
file:a:b
file:C:/foo
file:c:\\foo
FILE:foo
File:./foo
name@file:foo
name@file:../foo.tgz
@scope/name@file:packages/x
.
..
./
../
./foo
../foo
./foo.tgz
../../x.tar.gz
./foo/../bar
.\\foo
..\\foo
./foo#bar
./a b
.../x
.x
/abs/foo
/abs/foo.tgz
/
//
//server/share/x
/a/../b
/a//b/
/a b#c
~/foo
~/foo.tgz
~
~foo
~/
~/../x
name@~/foo
name@~foo
name@~1.2
name@./foo
name@../foo
name@/abs/foo
name@.
name@..
name@.foo
foo.tgz
foo.tar
foo.tar.gz
FOO.TGZ
foo.zip
name@foo.tgz
name@dir/foo.tgz
dir/sub/foo.tgz
dir/sub/pkg
a/b/c#d
C:\\foo
C:/foo
c:foo
C:
C:\\
c:\\foo.tgz
C:\\a\\..\\b
D:\\other\\x
name@C:\\foo
name@c:/foo
\\foo
\\\\server\\share\\foo
\\\\server\\share
\\\\server
foo\\bar
foo\\bar\\baz
name@foo\\bar
name@foo\\bar.tgz
@scope\\foo
x:y
x:/y
name@x:y
é:y
a+b:c
1a:b
git@:x
@git@github.com:a/b
a@b.c:d
a@b.c:
a@b:c.d
a@b.c
foo@bar@baz
foo@@bar
foo@bar/baz@1
@@
@
a/b@c
mailto:x@y.com
javascript:alert
data:text/plain,x
constructor
__proto__
toString@1
foo@constructor
foo@\t1.2.3\n
foo@1.2.3+build
foo@1.2.3-beta+build
foo@^1.2.3+build
foo@>=1.2.3 <1.2.4-0
foo@9007199254740992.0.0
foo@<9007199254740992
foo@||
foo@*||1
foo@latest||1
foo@1 latest
`.split('\n').filter(x => x).map(x => x.replace(/\\t/g, '\t').replace(/\\n(?=$)/g, '\n').replace(/\\\\/g, '\\'))
specs.push('', ' ', ' foo', 'foo ', 'foo\u00a0', 'x'.repeat(215), 'foo@' + 'x'.repeat(300))

const resolves = [
  ['foo', ''], ['foo', '*'], ['foo', ' '], ['foo', '1.2.3'], ['foo', ' ^1 '], ['foo', 'latest'], ['foo', 'a b'],
  ['foo', 'npm:bar@1'], ['foo', 'npm:bar'], ['foo', 'npm:'], ['foo', 'npm:@s/b@~1'], ['foo', 'npm:npm:x'],
  ['foo', 'user/repo'], ['foo', 'user/repo#semver:^1'], ['foo', 'github:user/repo#abc'], ['foo', 'git@github.com:a/b'],
  ['foo', 'git@example.com:a/b.git'], ['foo', 'example.com:a/b.git'],
  ['foo', 'git+ssh://git@example.com:a/b#c'], ['foo', 'https://x.y/z.tgz'], ['foo', 'file:../x'], ['foo', 'file:x.tgz'],
  ['foo', './x'], ['foo', '../x.tgz'], ['foo', '/abs'], ['foo', '~/x'], ['foo', '~1'], ['foo', 'x.tgz'], ['foo', 'a/b/c'],
  ['foo', 'workspace:*'], ['foo', 'link:../x'], ['foo', 'C:\\x'], ['foo', '\\x'], ['foo', '.'],
  ['@s/foo', '1'], ['@s/foo', 'file:x'], ['.foo', '1'], ['Foo', '1'], ['node_modules', '1'], ['foo bar', '1'],
  ['', '1'], ['', ''], ['', 'foo'], ['', './x'], ['', 'a/b'], ['foo', 'git:foo/bar'], ['foo', 'http://github.com/a/b/'],
]

const names = `
foo
foo-bar
foo.bar
foo_bar
Foo
.foo
_foo
-foo
 foo
foo 
foo bar
foo/bar
@foo/bar
@foo/.bar
@foo/_bar
@/bar
@foo/
@foo
@foo/bar/baz
@foo/b@r
@f@o/bar
@foo/Bar
@foo/bar!
@foo!/bar
@foo/bar~
foo!
foo'x
~foo
(foo)
*
foo@1
foo%20
f\u00e9e
@f\u00e9/b
node_modules
NODE_MODULES
favicon.ico
http
HTTP
fs/promises
node:test
node:fs
123
a
.
..
._
@./x
@-/x
@_/-
@foo/node_modules
`.split('\n').filter(x => x)
names.push('', 'x'.repeat(214), 'x'.repeat(215), '@a/' + 'x'.repeat(211), '@a/' + 'x'.repeat(212), '.\u00e9', '\u00a0x', '\ufeffx')

const forms = h => h && {
  type: h.type, user: h.user, auth: h.auth, project: h.project, committish: h.committish, default: h.default,
  forms: process.platform === 'win32' ? undefined : Object.fromEntries([ // the same everywhere
    ['string', h.toString({ noGitPlus: false, noCommittish: false })],
    ['string-', h.toString({ noGitPlus: true, noCommittish: true })],
    ['ssh', h.ssh({ noGitPlus: false, noCommittish: false })],
    ['ssh-', h.ssh({ noGitPlus: true, noCommittish: true })],
    ['sshurl', h.sshurl({ noGitPlus: false, noCommittish: false })],
    ['sshurl-', h.sshurl({ noGitPlus: true, noCommittish: true })],
    ['https', h.https({ noGitPlus: false, noCommittish: false })],
    ['https-', h.https({ noGitPlus: true, noCommittish: true })],
    ['git', h.git({ noGitPlus: false, noCommittish: false })],
    ['shortcut', h.shortcut({ noGitPlus: false, noCommittish: false })],
    ['path', h.path({ noGitPlus: false, noCommittish: false })],
    ['tarball', h.tarball()],
    ['browse', h.browse({ noCommittish: false })],
    ['browse-', h.browse({ noCommittish: true })],
    ['browsePath', h.browse('/a b/R.md', { noCommittish: false })],
    ['browseFragment', h.browse('x/y', '-- Some / Heading!! 1', { noCommittish: false })],
    ['browseFile', h.browseFile('src/x.js', { noCommittish: false })],
    ['browseFileFragment', h.browseFile('src/x.js', 'L 1', { noCommittish: true })],
    ['docs', h.docs({ noCommittish: false })],
    ['bugs', h.type === 'sourcehut' ? '' : h.bugs()], // npm throws a TypeError there
    ['file', h.file('/package.json', { noCommittish: false })],
    ['edit', h.edit('/x.js', { noCommittish: false })],
  ]),
}
const show = r => r && {
  type: r.type, registry: r.registry, raw: r.raw, name: r.name, scope: r.scope, escapedName: r.escapedName,
  rawSpec: r.rawSpec, saveSpec: r.saveSpec, fetchSpec: r.fetchSpec, where: r.where,
  gitCommittish: r.gitCommittish, gitRange: r.gitRange, gitSubdir: r.gitSubdir,
  string: r.toString(), hosted: forms(r.hosted), sub: show(r.subSpec),
}

let seed = +process.argv[4] || 1
const random = n => {
  seed = (seed + 0x6d2b79f5) | 0
  let x = Math.imul(seed ^ (seed >>> 15), seed | 1)
  x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
  return Math.floor(((x ^ (x >>> 14)) >>> 0) / 4294967296 * n)
}
const pick = list => list[random(list.length)]
const maybe = (n, f) => random(n) ? '' : f()
const word = () => pick(['foo', 'bar', 'a', 'b.c', '@s', 'x-y', 'C', '~u', '..', '.', '%20', '%2e', 'é', 'b c', 'v1', '', 'x_y', '[z]', '{q}', '%zz', "o'k", '*'])
const segments = n => Array.from({ length: 1 + random(n) }, word).join(pick(['/', '/', '/', '//', '\\']))
const scheme = () => pick(['git', 'git+ssh', 'git+https', 'git+http', 'git+file', 'ssh', 'http', 'https', 'file', 'github', 'gitlab', 'gist', 'bitbucket',
  'sourcehut', 'npm', 'GIT+ssh', 'Https', 'x', 'foo', 'link', 'git+ftp', 'git+x'])
const domain = () => pick(['github.com', 'www.github.com', 'gitlab.com', 'bitbucket.org', 'gist.github.com', 'git.sr.ht', 'example.com', 'GitHub.com',
  'localhost', '[::1]', '127.1', 'a|b', '', 'ex ample.com'])
const auth = () => maybe(2, () => pick(['git', 'user', 'u:p', ':p', 'u:', 'a@b', 'u%40:p%3a']) + '@')
const port = () => maybe(5, () => pick([':22', ':443', ':', ':x', ':070', ':99999']))
const hash = () => maybe(2, () => '#' + pick(['v1', 'semver:^1', 'semver:%5E1', 'path:a/b', 'v1::path:x', 'a b', 'x/y', 'x@y', '', 'a#b', 'foo:bar', '%61', '%zz', 'x:y']))
const randomSpec = () => maybe(4, () => pick(['foo', '@s/foo', 'Foo', '.x']) + '@') + pick([
  () => `${scheme()}://${auth()}${domain()}${port()}/${segments(4)}${maybe(6, () => '?q=1')}${hash()}`,
  () => `${scheme()}://${auth()}${domain()}:${segments(3)}${hash()}`,
  () => `${scheme()}:${segments(3)}${hash()}`,
  () => `${auth()}${domain()}:${segments(3)}${hash()}`,
  () => `${segments(3)}${hash()}`,
  () => `file:${pick(['', '/', '//', '///', './', '../', '~/', '//./'])}${segments(4)}${maybe(4, () => '.tgz')}`,
  () => `${pick(['./', '../', '/', '~/', 'c:', 'C:\\', '\\', 'c:/', '.'])}${segments(4)}${maybe(4, () => '.tar.gz')}`,
  () => Array.from({ length: 1 + random(8) }, () => pick(['a', '1', '.', '/', ':', '@', '#', '^', '~', ' ', '%', '-', 'git', '\\', '\t', '+'])).join(''),
])()

const out = []
out.push({ npm: version, node: process.version, home: { posix: '/home/me', windows: 'C:\\Users\\me' } })

for (const os of ['posix', 'windows']) {
  Object.defineProperty(process, 'platform', { value: os === 'windows' ? 'win32' : 'linux' })
  for (const key of Object.keys(require.cache)) {
    delete require.cache[key]
  }
  process.env.HOME = out[0].home[os]
  process.cwd = () => os === 'windows' ? 'C:\\cwd' : '/cwd'
  const npa = require(path.join(npm, 'node_modules/npm-package-arg'))
  const attempt = (fn, args, f) => {
    const row = { os, fn, args }
    try {
      row.result = f()
    } catch (er) {
      row.error = { code: er.code, message: er.message }
    }
    out.push(row)
  }
  const wheres = os === 'windows'
    ? ['C:\\proj\\app', '\\\\server\\share\\app']
    : ['/proj/app', '/', '/we ird/#dir%20/~x']
  if (process.argv[3] === 'random') {
    for (let i = 0; i < +process.argv[5]; i++) {
      const s = randomSpec()
      if (i % 3) {
        attempt('parse', [s, wheres[0]], () => show(npa(s, wheres[0])))
      } else {
        attempt('resolve', ['foo', s, wheres[0]], () => show(npa.resolve('foo', s, wheres[0])))
      }
    }
    continue
  }
  specs.forEach((s, i) => {
    for (const where of wheres) {
      if (where !== wheres[0] && !/^(\w+@)?([.\/\\~]|\w:|file:)|[.](tgz|tar)/i.test(s)) continue
      attempt('parse', [s, where], () => show(npa(s, where)))
    }
  })
  for (const [name, s] of resolves) {
    attempt('resolve', [name, s, wheres[0]], () => show(npa.resolve(name, s, wheres[0])))
  }
}
const validate = require(path.join(npm, 'node_modules/validate-npm-package-name'))
for (const name of process.argv[3] === 'random' ? [] : names) {
  out.push({ fn: 'name', args: [name], result: validate(name) })
}
process.stdout.write(out.map(x => JSON.stringify(x)).join('\n') + '\n')
