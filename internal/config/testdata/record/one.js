// One case of load.js, in a process of its own because npm reads process.env.
//
//	node one.js <directory of npm> <root> <case.json>
'use strict'
const [N,root]=process.argv.slice(2); const c=JSON.parse(require('fs').readFileSync(process.argv[4],'utf8'))
const logs=[]
process.on('log',(...a)=>{ if(['error','warn','info'].includes(a[0])) logs.push(a.map(String)) })
const Config=require(N+'/node_modules/@npmcli/config')
const {definitions,flatten,nerfDarts,shorthands}=require(N+'/node_modules/@npmcli/config/lib/definitions')
const sub=x=>x===undefined?undefined:JSON.parse(JSON.stringify(x).split(root).join('ROOT'))
const own=o=>{const r={};for(const k of Object.keys(o)) r[k]=o[k]===undefined?'__undefined':o[k];return r}
;(async()=>{
 const out={}
 const cfg=new Config({npmPath:N,definitions,flatten,nerfDarts,shorthands,argv:['node','npm',...c.args],warn:false,cwd:process.cwd(),execPath:root+'/prefix/bin/node'})
 try{ await cfg.load() }catch(e){ out.error={message:e.message,code:e.code}; out.logs=logs; console.log(JSON.stringify(sub(out))); return }
 out.remain=cfg.parsedArgv.remain
 const layers=()=>{const r={};for(const[w,{data}] of cfg.data){ if(w==='default'||w==='builtin')continue; const o=own(data); if(Object.keys(o).length) r[w]=JSON.parse(JSON.stringify(o))};return r}
 out.localPrefix=cfg.localPrefix; out.globalPrefix=cfg.globalPrefix
 out.layers=layers()
 out.workspace=cfg.get('workspace')
 const env={}; for(const k of Object.keys(process.env)) if(process.env[k]!==c.env0[k]) env[k]=process.env[k]; out.setenv=env
 let f={}; try{ f=cfg.flat }catch(e){ out.flatError=e.message }; const now=Date.now()
 out.flat={}; for(const k of ['omit','include','installStrategy','savePrefix','saveType','authType','preferOnline','preferOffline','packageLock','lockfileVersion','location','global','allowScripts','minReleaseAgeExclude','noProxy','userAgent','scope','access','ignoreExtension','saveBundle','workspacesEnabled','silent','maxSockets','scriptShell']) out.flat[k]=f[k]
 out.flat.before=f.before==null?null: now-f.before<86400000*900?Math.round((f.before-now)/86400000*10)/10+'d':f.before
 out.nodeEnv=process.env.NODE_ENV
 out.logs=logs.slice(); logs.length=0
 cfg.warn=false
 try{ cfg.validate() }catch(e){ out.invalid={message:e.message,code:e.code} }
 out.unknown=cfg.getUnknownConfigs?.().map(u=>[u.where,u.key,u.baseKey])
 out.validated=layers()
 out.validateLogs=logs.slice(); logs.length=0; cfg.logWarnings(); out.queued=logs.slice()
 console.log(JSON.stringify(sub(out)))
})()
