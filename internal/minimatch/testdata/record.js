// Records match.json from npm's own minimatch:
//
//	node record.js <directory of npm> > match.json
const path = require('path')
const npm = path.resolve(process.argv[2])
const version = of => require(path.join(npm, of, 'package.json')).version
const { minimatch } = require(path.join(npm, 'node_modules/minimatch'))
const globs=['*','**','a/*','a/**','**/b','a/**/b','a/**/b/**/c','*.js','*.*','?','??','[ab]','[!ab]','[a-c]x','[]a]','[a','a]','{a,b}','{a,b}/{c,d}','a{1..3}','a{01..3}','a{a..c}','{}','{a}','{a,{b,c}}','a{,b}','{,a}','!(a)','!(a)b','!(a|b)*','*(a)','+(a)','+(a|b)c','?(a)b','@(a|b)','@(a','@(a+(b)','*(a|!(b)c*','*(a|+(b))','!(!(a))','.*','.a','**/.a','a/../b','a/./b','a//b','*/','a/','[[:alpha:]]*','[^a]','a\\*','\\[a\\]','!a','!!a','#a','','a/!(b)','!(.a)','.!(a)','*a*','a*b*c','!(*.js)','*.!(js)','@(.a|b)','{a,b','a}b','a{b,c}d{e,f}','${a,b}','a?(b)','**a','a**','a/**/','*/**','**/*','**/**','x{{a,b}}y']
const paths=['a','b','c','ab','abc','a/b','a/c','a/b/c','a/x/b','a/x/y/b','a/x/b/y/c','.a','a/.a','a/.a/b','a.js','b.ts','.js','','a/','a/b/','[a]','a*','ä','aa','aab','bc','bb',']','{}','{a}','a1','a2','a01','ad','!a','#a','a}b','{a,b','xay','x{a}y','..','.','a/..','b/a','A','a.b.c','acbd','$a','${a,b}','acde','abde','@(a+(b)','@(abb','*(a|!(b)cx']
const lines = ['{"npm":"' + version('.') + '","minimatch":"' + version('node_modules/minimatch') + '","paths":' + JSON.stringify(paths) + ',"cases":[']
const rows = []
for (const g of globs) {
  for (const o of [{}, { dot: true }, { partial: true }]) rows.push(JSON.stringify([g, Object.keys(o)[0] || '', paths.filter(p => minimatch(p, g, o))]))
}
lines.push(rows.join(',\n'), '],"random":[')

// Patterns put together at random. A | outside of a group is left out: minimatch
// hands it to the regular expression, as it does with what stands in an
// extended form that has no end.
let seed = 5
const rnd = n => {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff
  return (seed >> 8) % n
}
const bits = ['a', 'b', '.', '*', '?', '**', '/', '[ab]', '[!a]', '[a-c]', '{a,b}', '{1..3}', '!(a)', '@(a|b)', '*(b)', '+(a)', '?(a)', '!(', '@(', ')', '|', '\\',
  'A', 'ä', '..', '{', '}', ',', '[', '-', ']', '[[:alpha:]]', 'x.js', '!', '#']
const names = ['a', 'b', '.', 'A', 'ä', '/', '..', '1', 'x', 'c', 'ab', '.a', 'a.js', '-', '{', 'a/b', '[']
const some = (from, most) => Array.from({ length: 1 + rnd(most) }, () => from[rnd(from.length)]).join('')
const random = []
while (random.length < 3000) {
  const pattern = some(bits, 5)
  const tried = Array.from({ length: 6 }, () => some(names, 4))
  const options = { dot: !rnd(2), partial: !rnd(4), nocase: !rnd(3), matchBase: !rnd(3) }
  if (/\\\||[?*+@!]\((?![^()]*\))|\?\?\(|\[\?\(|\(\)\*\*/.test(pattern)) continue
  try {
    random.push(JSON.stringify({ pattern, options, tried, matched: tried.filter(p => minimatch(p, pattern, options)) }))
  } catch {
    // It makes a regular expression that is none.
  }
}
lines.push(random.join(',\n'), ']}')
console.log(lines.join('\n'))
