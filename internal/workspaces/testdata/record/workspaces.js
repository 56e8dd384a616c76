// Records map.json and select.json from npm itself.
//
//	node record/workspaces.js <directory of npm>
'use strict'
const fs=require('fs'),os=require('os'),path=require('path')
const N=path.resolve(process.argv[2]), V=require(N+'/package.json').version
const m=require(N+'/node_modules/@npmcli/map-workspaces')
const gw=require(N+'/lib/utils/get-workspaces.js')

let seed=7; const rnd=n=>{seed=(seed*1103515245+12345)&0x7fffffff;return (seed>>8)%n}
const pick=a=>a[rnd(a.length)]
const trees=[
 {dirs:['packages/a','packages/b','packages/b/nested','packages/.hidden','packages/node_modules/x','apps/web','apps/api','tools','examples/one/two','@s/p','a','B','ä'], links:{'packages/link':'../apps/web'}, files:['packages/readme/package.json/x'], nopkg:['packages/empty','lib']},
 {dirs:['p/x1','p/x2','p/x10','p/y','p/y/x1','q/x1-test','q/x2','.dot/a','p.x','p-x','p_x','P','p/x1/node_modules/n','node_modules/z'], links:{'l':'p'}, names:{'p/x1':'one','q/x2':'two','p/y/x1':'one'}},
]
const pats=['packages/*','packages/**','apps/*','*','**','**/*','./packages/*','/packages/*','packages/a','packages/b','packages/b/*','packages/{a,b}','packages/[ab]','packages/!(a)','packages/@(a|b)','packages/+(a|b)','packages/?','**/a','**/nested','examples/**','examples/*/*','examples/**/two','@s/*','tools','tools/','packages/.hidden','packages/.*','apps/we?','apps/*b','[!p]*','{packages,apps}/*','packages/*/','packages/**/nested','a','B','*/*','packages/../apps/*','packages/empty','lib','packages//a','../*/x',
 '!packages/a','!packages/*','!**/nested','!apps/**','!**','!!packages/a','!packages/b/**','!packages/b','!./packages/a','packages/link','l/*','l/**',
 'p/*','p/x*','p/x?','p/x{1,2}','p/x{1..10}','p/y/**','q/*','q/x[12]','.dot/*','p*','p.x','P','q/*-test','p/x1','p/*1','p/+(x)*','p/?(x)1','p/*(x|1)','p/!(x*)','#a','p/{x1,y/x1}','{p,q}/x{1,2}','p/x[[:digit:]]','p/x[0-9]','!p/x1','!p/x*','!q/**','packages\\a']
const out=[]
async function run(tree,ws){ const root=fs.mkdtempSync(path.join(os.tmpdir(),'rec')); 
 for(const d of tree.dirs){fs.mkdirSync(path.join(root,d),{recursive:true}); const n=tree.names?.[d]; fs.writeFileSync(path.join(root,d,'package.json'),JSON.stringify(n?{name:n}:{version:'1'}))}
 for(const d of tree.nopkg||[]) fs.mkdirSync(path.join(root,d),{recursive:true})
 for(const [l,t] of Object.entries(tree.links||{})) fs.symlinkSync(t,path.join(root,l))
 let r
 try{ r=[...await m({cwd:root,pkg:{workspaces:ws}})].map(([n,p])=>[n,path.relative(root,p)])}catch(e){r={code:e.code||'?',message:e.message.split(root).join('ROOT')}}
 fs.rmSync(root,{recursive:true}); return r}
(async()=>{
 for(let ti=0;ti<trees.length;ti++){ for(const p of pats) out.push({tree:ti,workspaces:[p],want:await run(trees[ti],[p])})
  for(let i=0;i<200;i++){ const n=2+rnd(3); const ws=Array.from({length:n},()=>pick(pats)); out.push({tree:ti,workspaces:ws,want:await run(trees[ti],ws)}) } }
 for(const ws of [{packages:['packages/*']},{packages:'x'},'packages/*',{},true,[]]) out.push({tree:0,workspaces:ws,want:await run(trees[0],ws)})
 fs.writeFileSync(path.join(__dirname,'../map.json'), JSON.stringify({npm:V,module:'@npmcli/map-workspaces',trees,cases:'CASES'}).replace('"CASES"',()=>'[\n'+out.map(x=>JSON.stringify(x)).join(',\n')+'\n]')+'\n')
 // select
 const sel=[]
 const root=fs.mkdtempSync(path.join(os.tmpdir(),'rec')); for(const d of ['packages/a','packages/b','apps/web','apps/deep/x','@s/p']){fs.mkdirSync(path.join(root,d),{recursive:true});fs.writeFileSync(path.join(root,d,'package.json'),JSON.stringify({name:d==='@s/p'?'@s/p':d.split('/').pop()}))}
 fs.writeFileSync(path.join(root,'package.json'),JSON.stringify({name:'root',workspaces:['packages/*','apps/**','@s/*']}))
 for(const cwd of ['','packages','apps','packages/a','..']) for(const filters of [[],['a'],['packages'],['./packages'],['packages/'],['packages/a'],['./a'],['.'],['..'],['apps'],['apps/deep'],['nope'],['b','a'],['@s/p'],['@s'],['ROOT/packages/b'],['ROOT/packages'],['../apps'],['./packages/*'],['pack*'],['']]) for(const includeWorkspaceRoot of [false,true]) {
  process.chdir(path.join(root,cwd)); const f=filters.map(x=>x.replace('ROOT',root))
  const inside=path.relative(root,process.cwd()).startsWith('..'); const relativeFrom=inside?root:process.cwd()
  let r; try{ r=[...await gw(f,{path:root,includeWorkspaceRoot,relativeFrom})].map(([n,p])=>[n,path.relative(root,p)])}catch(e){r={message:e.message.split(root).join('ROOT')}}
  sel.push({cwd,filters,root:includeWorkspaceRoot,want:r}) }
 process.chdir('/'); fs.rmSync(root,{recursive:true})
 fs.writeFileSync(path.join(__dirname,'../select.json'), '{"npm":"'+V+'","module":"lib/utils/get-workspaces.js","cases":[\n'+sel.map(x=>JSON.stringify(x)).join(',\n')+'\n]}\n')
})()
