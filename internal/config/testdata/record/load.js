// Records load.json from npm itself.
//
//	node record/load.js <directory of npm> > load.json
'use strict'
const fs=require('fs'),os=require('os'),path=require('path'),{execFileSync}=require('child_process')
const N=path.resolve(process.argv[2])
const cases=[{name:'nothing',files:{'project/package.json':'{}'}},...require('./cases.js')]
const rows=[]
const dir=fs.mkdtempSync(path.join(os.tmpdir(),'rec'))
for(const c of cases){ const root=path.join(dir,'r'); fs.rmSync(root,{recursive:true,force:true})
 for(const d of ['home','project','prefix/bin','cwd']) fs.mkdirSync(path.join(root,d),{recursive:true})
 for(const[f,t] of Object.entries(c.files||{})){ fs.mkdirSync(path.dirname(path.join(root,f)),{recursive:true}); fs.writeFileSync(path.join(root,f),t.split('ROOT').join(root)) }
 const usual={HOME:'ROOT/home',PREFIX:'ROOT/prefix',TZ:'UTC',LANG:'C.UTF-8',SHELL:'/bin/sh'}
 const environ={...usual,...c.env}
 const env={PATH:process.env.PATH}; for(const[k,v] of Object.entries(environ)) if(v!==null) env[k]=v.split('ROOT').join(root)
 const full={...c,args:(c.args||[]).map(a=>a.split('ROOT').join(root)),env0:env}
 fs.writeFileSync(path.join(dir,'case.json'),JSON.stringify(full))
 const o=execFileSync(process.execPath,[path.join(__dirname,'one.js'),N,root,path.join(dir,'case.json')],{cwd:path.join(root,c.cwd||'project'),env,encoding:'utf8'})
 for(const k in usual) if(environ[k]===usual[k]) delete environ[k]
 rows.push({name:c.name,args:c.args||[],environ,cwd:c.cwd||'project',files:c.files||{},want:JSON.parse(o)})
}
fs.rmSync(dir,{recursive:true})
// Only what differs from an ordinary run is kept.
const d={cases:rows}
const base=JSON.parse(JSON.stringify(d.cases[1].want)); const drop=['NODE','npm_node_execpath','npm_execpath','npm_config_node_gyp']
for(const k of drop) delete base.setenv[k]
for(const c of d.cases){ const w=c.want
 for(const k of ['logs','validateLogs','queued','unknown','workspace']) if(Array.isArray(w[k])&&!w[k].length) delete w[k]
 if(JSON.stringify(w.validated)===JSON.stringify(w.layers)) delete w.validated
 if(c.name==='nothing'){w.setenv={...base.setenv};w.flat={...base.flat}}
 if(!w.flat) continue
 for(const k of drop) delete w.setenv[k]
 for(const k in w.flat) if(JSON.stringify(w.flat[k])===JSON.stringify(base.flat[k])) delete w.flat[k]
 for(const k in base.setenv) if(w.setenv[k]===base.setenv[k]) delete w.setenv[k]; else if(!(k in w.setenv)) w.setenv[k]=null
 if(!Object.keys(w.setenv).length) delete w.setenv; if(!Object.keys(w.flat).length) delete w.flat
 if(w.localPrefix==='ROOT/project') delete w.localPrefix; if(w.globalPrefix==='ROOT/prefix') delete w.globalPrefix
 if(c.cwd==='project') delete c.cwd; if(!Object.keys(c.environ).length) delete c.environ; if(JSON.stringify(c.files)==='{"project/package.json":"{}"}') delete c.files
}
process.stdout.write('{"npm":"'+require(N+'/package.json').version+'","node":"'+process.version+'","module":"@npmcli/config","flat":'+JSON.stringify(base.flat)+',\n"setenv":'+JSON.stringify(base.setenv)+',"cases":[\n'+d.cases.map(x=>JSON.stringify(x)).join(',\n')+'\n]}\n')
