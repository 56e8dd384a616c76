// Unpacks every tarball of a folder with npm's own pacote and prints what it
// left on disk, what it warned of and how it failed:
//
//   node extract.cjs <npm's folder> <folder of *.tgz> > npm.json
const [, , npm, from] = process.argv
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const FileFetcher = require(path.join(npm, 'node_modules/pacote/lib/file.js'))

process.umask(0o022)
let crashed
process.on('uncaughtException', e => crashed && crashed(e))

const walk = (dir, rel, out) => {
  for (const name of fs.readdirSync(dir)) {
    const full = dir + '/' + name
    const at = rel ? rel + '/' + name : name
    const st = fs.lstatSync(full)
    if (st.isDirectory()) {
      out.dirs.push(at)
      walk(full, at, out)
    } else {
      const body = st.isFile() ? fs.readFileSync(full, 'latin1') : `(${st.mode.toString(8)})`
      out.files[at] = (st.mode & 0o7777).toString(8).padStart(4, '0') + ' ' +
        (body.length > 60 ? body.length + ' bytes' : body)
    }
  }
}

const main = async () => {
  const cases = {}
  for (const file of fs.readdirSync(from).sort()) {
    if (!file.endsWith('.tgz')) continue
    const dest = fs.mkdtempSync(path.join(os.tmpdir(), 'extract-'))
    const out = { files: {}, dirs: [], warnings: [] }
    const onlog = (level, title, code, msg) => {
      if (level === 'warn' && title === 'tar') out.warnings.push(msg === undefined ? code : code + ': ' + msg)
    }
    process.on('log', onlog)
    try {
      await Promise.race([
        // with a manifest at hand it doesn't look for package.json
        Object.assign(new FileFetcher('file:' + path.join(from, file), { cache: dest + '-cache' }), { package: { name: 'x', version: '1.0.0' } }).extract(dest),
        new Promise((_, no) => { crashed = e => no(Object.assign(e, { crash: true })) }),
      ])
    } catch (e) {
      out.error = (e.crash ? 'crash ' : '') + (e.code || e.name) + ': ' + String(e.message).replaceAll(dest, '<dest>')
    }
    process.off('log', onlog)
    walk(dest, '', out)
    out.dirs.sort()
    for (const k of ['dirs', 'warnings']) if (!out[k].length) delete out[k]
    out.warnings = out.warnings && out.warnings.map(w => w.replaceAll(dest, '<dest>').slice(0, 200)).slice(0, 5)
    cases[file.slice(0, -4)] = out
    fs.rmSync(dest, { recursive: true, force: true })
    fs.rmSync(dest + '-cache', { recursive: true, force: true })
  }
  console.log(JSON.stringify({
    npm: require(path.join(npm, 'package.json')).version,
    node: process.version,
    cases,
  }, null, 1))
}
main()
