// Packs trees with npm's own libraries and prints what went in, in order, the
// SHA-256 of the archive and the integrity of the tarball:
//
//   node pack.cjs <npm's folder> <file with [{name, path, prefix, workspaces}]> > npm.json
const [, , npm, input] = process.argv
const fs = require('node:fs')
const path = require('node:path')
const zlib = require('node:zlib')
const crypto = require('node:crypto')
const need = name => require(path.join(npm, 'node_modules', name))
const pacote = need('pacote')
const tar = need('tar')
const Arborist = need('@npmcli/arborist')

const main = async () => {
  const trees = {}
  for (const { name, path: dir, prefix, workspaces } of JSON.parse(fs.readFileSync(input, 'utf8'))) {
    const warnings = []
    const onlog = (level, title, ...args) => level === 'warn' && warnings.push(args.join(' '))
    process.on('log', onlog)
    try {
      const tgz = await pacote.tarball('file:' + dir, {
        Arborist, prefix, workspaces, ignoreScripts: true, _isRoot: true, cache: path.join(path.dirname(input), 'cache'),
      })
      const files = []
      const archive = zlib.gunzipSync(tgz)
      const t = tar.t({ onReadEntry: e => files.push(e.path + ' ' + e.mode.toString(8) + (e.linkpath ? ' -> ' + e.linkpath : '')) })
      t.end(archive)
      trees[name] = {
        files,
        tar: crypto.createHash('sha256').update(archive).digest('hex'),
        integrity: tgz.integrity && String(tgz.integrity) || 'sha512-' + crypto.createHash('sha512').update(tgz).digest('base64'),
      }
    } catch (e) {
      trees[name] = { error: String(e.message).replaceAll(dir, '<dir>') }
    }
    process.off('log', onlog)
    if (warnings.length) trees[name].warnings = warnings
  }
  console.log(JSON.stringify({ npm: require(path.join(npm, 'package.json')).version, node: process.version, trees }, null, 1))
}
main()
