// Records keys.json from npm itself: what each key of its table is when it is
// set in each way to each of these values, and where it then comes from.
//
//	node record/keys.js <directory of npm> > keys.json
'use strict'
const fs=require('fs'),os=require('os'),path=require('path')
const N=path.resolve(process.argv[2])
const root=fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(),'rec')))
Object.assign(process.env,{HOME:root+'/home',SHELL:'/bin/sh'}) // nopt and the table ask here
delete process.env.EDITOR; delete process.env.VISUAL; delete process.env.NODE_ENV; delete process.env.NO_COLOR
const Config=require(N+'/node_modules/@npmcli/config')
const {definitions,flatten,nerfDarts,shorthands}=require(N+'/node_modules/@npmcli/config/lib/definitions')
for(const d of ['home','project','prefix/bin']) fs.mkdirSync(path.join(root,d),{recursive:true})
fs.writeFileSync(root+'/project/package.json','{}')
process.chdir(root+'/project')
const sub=x=>JSON.stringify(x===undefined?'__undefined':x).split(root).join('ROOT').split(N).join('NPM')
const values=['','true','false','null','undefined','0','1','-1','1.5','1e3','abc','a,b','~/x','./rel','/abs/../y','http://x.example','//x','2020-01-01','022','1.2.3',' x ']
const literals=d=>[].concat(d.type).filter(x=>typeof x==='string'||typeof x==='number').map(String).filter(x=>!values.includes(x)&&!/^[\da-f:.]+$/.test(x))
async function ask(key,way,value){
 const env={HOME:root+'/home',PREFIX:root+'/prefix',LANG:'C.UTF-8',SHELL:'/bin/sh'},argv=['node','npm']
 try{fs.unlinkSync(root+'/project/.npmrc')}catch{}
 if(way==='flag=') argv.push('--'+key+'='+value)
 if(way==='flag') argv.push('--'+key,value)
 if(way==='alone') argv.push('--'+key)
 if(way==='no') argv.push('--no-'+key)
 if(way==='env') env['npm_config_'+key.replace(/(?!^)-/g,'_')]=value
 if(way==='file') fs.writeFileSync(root+'/project/.npmrc',key+'='+value+'\n')
 if(way==='line') fs.writeFileSync(root+'/project/.npmrc',key+'\n')
 const cfg=new Config({npmPath:N,definitions,flatten,nerfDarts,shorthands,argv,env,cwd:root+'/project',execPath:root+'/prefix/bin/node',warn:false})
 try{ await cfg.load(); const rest=cfg.parsedArgv.remain; try{ cfg.validate() }catch(e){ if(e.code!=='ERR_INVALID_AUTH') throw e; return 'needs config fix' }
  return sub(cfg.get(key))+' '+cfg.find(key)+(rest.length?' and words '+sub(rest):'') }catch(e){ return 'error '+e.message.split(root).join('ROOT') }
}
;(async()=>{
 const out={}
 for(const [key,d] of Object.entries(definitions)){
  const k=out[key]={unset:await ask(key,'unset')}
  for(const way of ['alone','no','line']) k[way]=await ask(key,way)
  for(const way of ['flag=','flag','env','file']){ const by={}
   for(const v of [...values,...literals(d)]) if(way!=='file'||v.trim()===v) (by[await ask(key,way,v)]||=[]).push(v)
   k[way]=by }
  for(const way of ['env','file']) if(JSON.stringify(k[way]).replace(/ (env|project)"/g,'"')===JSON.stringify(k['flag=']).replace(/ cli"/g,'"')) k[way]={}
 }
 // Keys that behave alike are recorded once.
 const unset={},alike={}
 for(const [key,{unset:u,...ways}] of Object.entries(out)){ unset[key]=u
  for(const way of ['alone','no','line']) if(ways[way]===u) ways[way]='unset'
  for(const way of ['flag=','flag','env','file']) if(ways[way][u]){ ways[way].unset=ways[way][u]; delete ways[way][u] }
  (alike[JSON.stringify(ways)]||=[]).push(key) }
 process.stdout.write('{"npm":"'+require(N+'/package.json').version+'","unset":'+JSON.stringify(unset)+',\n"alike":[\n'+Object.entries(alike).map(([ways,keys])=>'{"keys":'+JSON.stringify(keys)+',"ways":'+ways+'}').join(',\n')+'\n]}\n')
 fs.rmSync(root,{recursive:true})
})()
