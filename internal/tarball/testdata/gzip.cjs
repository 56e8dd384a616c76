// Prints the SHA-256 of what Node's zlib makes of every file of a folder, with
// the options npm packs with:
//
//   node gzip.cjs <folder> > gzip.json
const fs = require('node:fs')
const path = require('node:path')
const zlib = require('node:zlib')
const crypto = require('node:crypto')
const out = { node: process.version, zlib: process.versions.zlib, sha256: {} }
for (const file of fs.readdirSync(process.argv[2]).sort()) {
  const gz = zlib.gzipSync(fs.readFileSync(path.join(process.argv[2], file)), { level: 9 })
  gz[9] = 255 // as minizlib's option portable
  out.sha256[file] = crypto.createHash('sha256').update(gz).digest('hex')
}
console.log(JSON.stringify(out, null, 1))
