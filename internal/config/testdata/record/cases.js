// The command lines, environments and files that load.js records.
'use strict'
const P = {'project/package.json':'{}'}
const argv=`
install
-g
-gD
-D -E x
--save-dev x y
install --save-dev=false x
--no-save x
--no-no-save x
--no-no-no-save
--NO-save
--omit dev --omit optional
--omit=dev --omit=peer
--omit dev
--omit
--omit --
--omit=bogus
--no-omit
--include=dev x
--loglevel silent
--loglevel=warn x
--loglevel
--loglevel --save
--loglevel bogus
-d
-s x
-q
-silent
-dd x
--dd x
--ddd
--quiet
--verbose x
--silent=true
--registry http://x.example
--registry=http://X.example:80/a/../b
--registry x
--registry=localhost:4873
--registry
--reg=http://r.example/x
--reg http://r.example
--tag beta x
--tag=
--tag
--tag --save
--tag -1
--tag - x
--tag -- x
--depth 0 x
--depth=Infinity
--depth x
--depth
--depth=-1
--depth -1
--no-depth
--depth=null
--depth 0x10
--fetch-retries 1e2
--fetch-retries=abc
--fetch-retries
--fetch-retries=
--color always x
--color false x
--color x
--color=always
--color=bogus
--no-color
--no-color always
--color true x
--browser chrome
--browser=chrome
--browser
--no-browser
--browser=null x
--browser false
--yes x
--yes null x
-y x
-n x
--no x
--no-yes
--yes false
--workspaces=false
--no-workspaces
--ws
--workspace a --workspace=b
-w a -wb
-w a,b
-w
--iwr
--include-workspace-root=true
--json x
--json true x
--json=false
--json=1
--json=0
--json=bogus x
--json null
--prefix foo
--prefix=~/foo
-C foo x
--prefix=/abs/../x
--prefix
--no-prefix
--cache ~/c
--cache=
--cafile
--no-cafile
--cafile=x.pem
--cafile null
--userconfig=../u
--before 2020-01-01
--before=2020-01-01T00:00:00Z
--before bogus
--before null
--no-before
--before
--enjoy-by 2019-05-06 x
--min-release-age 7
--min-release-age=x
--min-release-age=0
--umask 022
--umask=18
--umask 0o777
--umask 999
--umask bogus
--umask
--umask=0
--init-version 1.2.3
--init-version=v1.2.3-a+b
--init-version bogus
--init-version
--proxy false
--proxy=null
--no-proxy
--proxy http://p.example:8080
--proxy bogus
--https-proxy=http://u:p@h.example
--https-proxy null
--no-https-proxy
--noproxy a,b
--noproxy a --noproxy b
--noproxy=
--no-noproxy
--lockfile-version 1
--lockfile-version=2
--lockfile-version 9
--lockfile-version null
--no-lockfile-version
--replace-registry-host=never
--replace-registry-host x.example
--access public
--access=private
--access bogus
--access
--no-access
--auth-type legacy
--otp 123456 x
--otp=000123
--otp
--no-otp
--otp true
--only prod
--only=production
--only dev
--also dev x
--also=development
--production
--production=false
--no-production
--no-optional
--optional
--dev
--global-style
--legacy-bundling
--legacy-bundling --global-style
--cache-min 9999
--cache-max 0
--cache-max=-1
--save-exact
--save-prefix ~
--save-prefix=~ --save-exact
--no-save-exact
--save-peer --save-optional
--save-optional --save-peer
--save-dev --save-prod
--save-dev --no-save-prod
--save-peer --save-dev
--save-bundle
-B -O
-P
-S x
--expect-results --expect-result-count=2
--expect-result-count 2
--provenance --provenance-file=x
--location project
-L global x
--location=bogus
--location global
--global --location=user
--no-global
--local
--scope foo
--scope=@foo
--script-shell sh
--script-shell
--node-options=--max-old-space-size=1
--node-options --foo
--message a=b
--message="a b"
-m -x
-m
--call=
-c echo hi
--package a --package=b c
-p x
--parseable x
--porcelain
-l
--long=true
-a -l -p
-alp
-la x
-x
-xg
-gx
-?
-h
-H
--help
--help foo
--usage
-v
--version
--versions
--readonly
--desc
--no-desc
--foo
--foo bar
--foo=bar
--foo true bar
--foo --bar
--no-foo
--no-foo bar
--foo 1 --foo 2
--foo=1 --foo=2 --foo=3
-foo bar
--foo.bar=1
--//registry.example/:_authToken=abc
--//registry.example/:bogus=abc
--@s:registry=http://s.example
--@s:registry http://s.example
--_authToken=abc
--_auth=abc
--_auth abc
--init.author.name=X
--init-author-name X Y
--sav
--regis=http://x
--glob
--verb
--vers
--qui
--silen
--save-d
-
- x
--
-- x --save
x -- y -- z
x -- --save=1 -g
---
--- x
--=x
--=
-=
x --save --no-audit y
run test --silent -- -x --foo
run -- test
exec -c ls -- a
--no-audit=true
--no-audit false
--no-audit true x
--audit=false x
--audit false true
--dry-run --dry-run=false
--force -f
-f -f x
--tag a --tag b
--git git2 --git git3
--shrinkwrap-x
--allow-git=root
--allow-git all x
--allow-scripts a,b --allow-scripts=c
--allow-scripts
--min-release-age-exclude=a,b --min-release-age-exclude c
--sbom-format spdx
--sbom-format bogus
--which 2 x
--which=x
--searchlimit 1 a b
--local-address 127.0.0.1
--local-address bogus
--extension-file=./e.mjs
--packages a --packages b
--cidr=1.2.3.4/5
--cidr
--no-cidr
--orgs
--to 1.2.3
--diff=a@1 --diff b
--diff a b
--ca null
--ca=a --ca=b
--ca
--no-ca
--key=a\\nb
--tag \${HOME}
--tag=\${NOPE}
--cache=\${HOME}/x
--save-prefix=\\\${HOME}
--workspace=\${HOME}/w
--tag=trim\\ me
--user-agent=x/{npm-version}/{CI}/{Workspaces}
--heading= a
--prefer-offline --prefer-online
--package-lock-only --no-package-lock
--ignore-scripts
--engine-strict=
--strict-ssl=
--strict-ssl=0
--unicode=yes
--progress=false
--timing
--maxsockets=5
`.trim().split('\n').map(l=>({name:'args: '+l,args:l===''?[]:l.split(/(?<!\\) /).map(x=>x.replace(/\\ /g,' ')),files:P}))
const envs=[
 {npm_config_tag:'x'},{NPM_CONFIG_TAG:'x'},{npm_config_save_dev:'true'},{npm_config_save_dev:''},{npm_config_save_dev:'false'},{npm_config_omit:'dev'},{npm_config_omit:'dev\n\npeer'},{npm_config_omit:'dev,peer'},{npm_config_include:'dev',NODE_ENV:'production'},{NODE_ENV:'production'},{npm_config_registry:'http://x.example'},{npm_config_registry:'bogus'},{npm_config__auth:'abc'},{npm_config__authToken:'abc'},{'npm_config_//r.example/:_authToken':'abc'},{'npm_config_//r.example/:_AuthToken':'abc'},{'npm_config_@S:registry':'http://s.example'},{npm_config_foo_bar:'1'},{npm_config_global:'true'},{npm_config_location:'global'},{npm_config_prefix:'ROOT/other'},{npm_config_userconfig:'ROOT/uc'},{npm_config_globalconfig:'ROOT/gc'},{npm_config_cache:'rel/cache'},{npm_config_cache:'~/cc'},{npm_config_before:'2020-01-01'},{npm_config_before:'x'},{npm_config_min_release_age:'3'},{npm_config_depth:'null'},{npm_config_depth:'x'},{npm_config_lockfile_version:'2'},{npm_config_umask:'022'},{npm_config_color:'always'},{NO_COLOR:'1'},{NO_COLOR:'0'},{npm_config_color:'false'},{npm_config_color:'0'},{npm_config_yes:'true'},{npm_config_optional:'false'},{npm_config_production:'true'},{npm_config_only:'prod'},{npm_config_workspaces:'true'},{npm_config_workspace:'a\n\nb'},{npm_config_npm_version:'9'},{npm_config_global_prefix:'x'},{npm_config_local_prefix:'x'},{npm_config_user_agent:'zz'},{npm_config_node_gyp:'/x/gyp'},{npm_config_noproxy:'a,b'},{npm_config_noproxy:''},{npm_config_ignore_scripts:'1'},{npm_config_audit:'0'},{npm_config_audit:'no'},{npm_config_fund:'undefined'},{npm_config_access:'null'},{npm_config_script_shell:'true'},{npm_config_proxy:'false'},{npm_config_proxy:'null'},{npm_config_https_proxy:'http://p.example'},{npm_config_editor:'e'},{EDITOR:'ed'},{VISUAL:'vi2'},{npm_config_node_options:'--x'},{npm_config_save_exact:'true'},{npm_config_save_prefix:'~',npm_config_save_exact:'true'},{npm_config_loglevel:'silly'},{npm_config_init_author_name:'N'},{'npm_config_init.author.name':'N'},{npm_config_save_dev:'true',npm_config_save_prod:'true'},{CI:'true'},{GITHUB_ACTIONS:'true',CI:'true'},{GITHUB_ACTIONS:'true',GITHUB_SERVER_URL:'https://github.com',RUNNER_ENVIRONMENT:'github-hosted'},{GITHUB_ACTIONS:'1',GITHUB_SERVER_URL:'https://x.ghe.com'},{GITHUB_ACTIONS:'1',GITHUB_SERVER_URL:'https://git.corp'},{GITLAB_CI:'1'},{JENKINS_URL:'x',BUILD_ID:'1'},{CI:'woodpecker'},{CI_NAME:'codeship'},{NODE:'/app/.heroku/node/bin/node'},{NOW_BUILDER:'1'},{CI:'false',TRAVIS:'1'},{TRAVIS:'1',GITLAB_CI:'1'},{DESTDIR:'/dd',PREFIX:null},{npm_config_otp:'1',npm_config_password:'pw'},{npm_config_tag:'${HOME}'},{npm_config_message:' x '},{npm_config_pack_destination:'x'},{npm_config_logs_dir:'x'},{npm_config_provenance:'true'},{'npm_config_email':'e'},{npm_config_package:'a\n\nb'},{npm_config_ca:'a\n\nb'},{npm_config_min_release_age_exclude:'a,b'},{npm_config_allow_scripts:'a,b'},{npm_config_if_present:'true'},{npm_config_unknown:'x',npm_config_include_workspace_root:'true'},{npm_config_strict_npmrc:'true'},{SHELL:'/bin/zsh',npm_config_shell:'/bin/zsh'},{npm_config_save:'true'},{npm_config_save:'false'}
].map(e=>({name:'env: '+JSON.stringify(e),env:e,files:P}))
const envArgs=[[{npm_config_save_dev:'true'},['--save-prod']],[{npm_config_save_dev:'true'},['--no-save-dev']],[{npm_config_tag:'x'},['--tag=latest']],[{npm_config_tag:'x'},['--tag=y']],[{npm_config_audit:'false'},['--audit']],[{npm_config_omit:'dev'},['--include=dev']],[{npm_config_omit:'dev'},['--omit=peer']],[{NODE_ENV:'production'},['--omit=peer']],[{NODE_ENV:'production'},['--include=dev']],[{NODE_ENV:'production'},['--dev']],[{npm_config_production:'true'},['--no-production']],[{npm_config_save_exact:'true'},['--no-save-exact']],[{npm_config_save_exact:'true'},['--save-prefix=~']],[{npm_config_before:'2020-01-01'},['--min-release-age=3']],[{npm_config_before:'2020-01-01'},['--min-release-age=0']],[{npm_config_min_release_age:'3'},['--before=2020-01-01']],[{npm_config_global_style:'true'},['--install-strategy=linked']],[{npm_config_global:'true'},['--no-global']],[{npm_config_location:'global'},['--location=user']],[{npm_config_otp:'1'},['--auth-type=web']],[{npm_config_package_lock:'false'},['--package-lock-only']],[{npm_config_provenance:'true'},['--provenance-file=x']],[{npm_config_provenance_file:'x'},['--provenance']],[{npm_config_save_peer:'true'},['--save-optional']],[{npm_config_prefix:'ROOT/a'},['--prefix','ROOT/b']],[{npm_config_cache_min:'99999'},['--no-prefer-offline']]].map(([env,args])=>({name:'env '+JSON.stringify(env)+' and '+args.join(' '),env,args,files:P}))
const rc=(name,text,more={})=>({name:'project .npmrc: '+name,files:{...P,'project/.npmrc':text,...(more.files||{})},args:more.args||[],env:more.env||{},cwd:more.cwd})
const files=[
 rc('plain','tag=x\nsave-exact=true\n'),rc('comments','; a\n# b\ntag = x ; y\nheading = a\\;b # c\n'),rc('quotes','tag="a b"\nheading=\'c d\'\nmessage="a\\nb"\nscope=\'"q"\'\n'),
 rc('arrays','omit[]=dev\nomit[]=peer\ninclude=prod\n'),rc('array of a scalar','omit=dev\nomit=peer\n'),rc('array then scalar','omit[]=dev\nomit=peer\n'),rc('array for a non-array key','tag[]=a\ntag[]=b\n'),
 rc('sections','tag=x\n[section]\ntag=y\n[a.b]\nc=1\n'),rc('empty values','tag=\nsave-dev=\ndepth=\nregistry=\ncache=\n'),rc('keys without =','save-dev\nglobal\ntag\n'),
 rc('bad values','loglevel=bogus\ndepth=x\nregistry=bogus\nlockfile-version=7\numask=999\nomit[]=foo\nomit[]=dev\nbefore=zz\ninit-version=1\ncache[]=a\naccess=x\naudit=maybe\n'),
 rc('null and false','access=null\ndepth=null\nproxy=false\nhttps-proxy=null\nnoproxy=null\nscript-shell=null\nca=null\ncafile=null\naudit=null\n'),
 rc('numbers','depth=3\nfetch-retries=0x10\nmaxsockets=1e1\nlockfile-version=3\nwhich=2\nexpect-result-count=1\n'),
 rc('expansion','tag=${FOO}\nheading=${NOPE}\nmessage=${NOPE?}\nscope=\\${FOO}\nsave-prefix=${FOO}${FOO}\n${KEY}=v\ncache=${FOO}/c\n',{env:{FOO:'foo',KEY:'preid'}}),
 rc('paths','cache=~/x\nprefix=~/p\ncafile=rel.pem\nlogs-dir=../logs\nuserconfig=~/other\n'),rc('prefix','prefix=ROOT/pp\n'),
 rc('unknown keys','foo=1\n@s:registry=http://s.example\n//r.example/:_authToken=t\n//r.example/:bogus=t\n//r.example/:registry=x\nalways-auth=true\nhttp://x:_auth=1\n'),
 rc('strict-npmrc','strict-npmrc=true\nfoo=1\n'),rc('deprecated keys','only=prod\nalso=dev\nproduction=true\ninit.author.name=x\nkey=k\n'),
 rc('unscoped auth','_auth=abc\n_authToken=t\nusername=u\n_password=p\nemail=e\n'),rc('username without password','username=u\n'),rc('password without username','_password=u\n'),rc('certfile alone','certfile=c\n'),rc('certfile and keyfile','certfile=c\nkeyfile=k\n'),rc('_authtoken','_authtoken=t\n-authtoken=u\n'),
 rc('unscoped auth with another registry','registry=http://r.example/a/b\n_authToken=t\n'),
 rc('global','global=true\n'),rc('location','location=global\n'),rc('workspaces','workspaces=true\nworkspace=a\nworkspace[]=b\n'),
 rc('min-release-age','min-release-age=5\nmin-release-age-exclude[]=@s/*\nmin-release-age-exclude[]=a, b\n'),rc('min-release-age and before','min-release-age=5\nbefore=2021-02-03\n'),rc('min-release-age under cli 0','min-release-age=5\n',{args:['--min-release-age=0']}),rc('before under env age','before=2020-01-01\n',{env:{npm_config_min_release_age:'2'}}),
 rc('allow-scripts','allow-scripts=a, b\n'),rc('allow-scripts array','allow-scripts[]=a\nallow-scripts[]=b,c\n'),rc('install-strategy','install-strategy=nested\n'),rc('global-style before strategy','global-style=true\ninstall-strategy=linked\n'),rc('strategy before global-style','install-strategy=linked\nglobal-style=true\n'),
 rc('save types','save-dev=true\n',{args:['--save-optional']}),rc('save types exclusive','save-dev=true\nsave-prod=true\n'),rc('save types with cli off','save-dev=true\n',{args:['--no-save-prod']}),
 rc('script-shell','script-shell=/bin/bash\n'),rc('package-lock false','package-lock=false\n',{args:['--package-lock-only']}),rc('CRLF and BOM','\ufefftag=x\r\nheading=y\r\n'),rc('weird lines','=x\n=\n[]\n[x\ntag=a=b\n tag2 = 3 \n"tag"="q"\n\'save-dev\'=true\ntag = "unclosed\n'),rc('__proto__','__proto__=x\n[__proto__]\ntag=y\n'),rc('integer keys','b=1\n10=2\n9=3\na=4\n'),rc('booleans','audit=false\nfund=true\nprogress="false"\ncolor=\'always\'\nyes=true\n'),rc('duplicate keys','tag=a\ntag=b\n'),rc('umask','umask=0022\n'),rc('umask decimal','umask=18\n'),rc('umask 0','umask=0\n'),rc('date forms','before=Tue, 15 Nov 1994 12:45:26 GMT\n'),
 {name:'all layers',files:{...P,'project/.npmrc':'tag=p\n','home/.npmrc':'tag=u\naccess=public\nomit[]=dev\n','prefix/etc/npmrc':'tag=g\naccess=restricted\nheading=G\nomit[]=peer\n'},env:{npm_config_tag:'e'},args:['--tag=c']},
 {name:'user save-exact, project save-prefix',files:{...P,'project/.npmrc':'save-prefix=~\n','home/.npmrc':'save-exact=true\n'}},
 {name:'user only=prod, project omit',files:{...P,'project/.npmrc':'omit[]=peer\n','home/.npmrc':'only=prod\n'}},
 {name:'user omit, cli include',files:{...P,'home/.npmrc':'omit[]=dev\nomit[]=optional\n'},args:['--include=dev']},
 {name:'userconfig named by the project',files:{...P,'project/.npmrc':'userconfig=ROOT/u2\n','home/.npmrc':'tag=no\n','u2':'tag=u2\nglobalconfig=ROOT/g2\n','g2':'heading=g2\n'}},
 {name:'prefix in the user file moves globalconfig',files:{...P,'home/.npmrc':'prefix=ROOT/np\n','np/etc/npmrc':'tag=np\n'}},
 {name:'project is the home directory',files:{'home/package.json':'{}','home/.npmrc':'tag=h\n'},cwd:'home'},
 {name:'global ignores the project',files:{...P,'project/.npmrc':'tag=p\n'},args:['-g']},
 {name:'location=global ignores the project',files:{...P,'project/.npmrc':'tag=p\n'},args:['--location=global']},
 {name:'userconfig is the globalconfig',files:P,env:{npm_config_userconfig:'ROOT/same',npm_config_globalconfig:'ROOT/same'}},
 {name:'prefix on the command line is the project',files:{'other/.npmrc':'tag=o\n','other/package.json':'{}'},args:['--prefix','../other']},
 {name:'no project at all',files:{},cwd:'cwd'},
 {name:'node_modules makes a project',files:{'project/node_modules/x':'','project/sub/deep/x':'','project/.npmrc':'tag=p\n'},cwd:'project/sub/deep'},
 {name:'a workspace',files:{'project/package.json':'{"workspaces":["packages/*"]}','project/.npmrc':'tag=root\n','project/packages/a/package.json':'{"name":"a"}','project/packages/a/.npmrc':'tag=ws\n'},cwd:'project/packages/a'},
 {name:'below a workspace',files:{'project/package.json':'{"workspaces":["packages/*"]}','project/packages/a/package.json':'{"name":"a"}','project/packages/a/src/x':''},cwd:'project/packages/a/src'},
 {name:'a workspace with --no-workspaces',files:{'project/package.json':'{"workspaces":["packages/*"]}','project/packages/a/package.json':'{"name":"a"}','project/packages/a/.npmrc':'tag=ws\n'},cwd:'project/packages/a',args:['--no-workspaces']},
 {name:'a workspace with -g',files:{'project/package.json':'{"workspaces":["packages/*"]}','project/packages/a/package.json':'{"name":"a"}'},cwd:'project/packages/a',args:['-g']},
 {name:'a workspace with -w other',files:{'project/package.json':'{"workspaces":["packages/*"]}','project/packages/a/package.json':'{"name":"a"}'},cwd:'project/packages/a',args:['-w','b']},
 {name:'not a workspace',files:{'project/package.json':'{"workspaces":["packages/*"]}','project/other/a/package.json':'{"name":"a"}'},cwd:'project/other/a'},
 {name:'a parent package.json that does not parse',files:{'project/package.json':'{"workspaces":','project/packages/a/package.json':'{"name":"a"}'},cwd:'project/packages/a'},
 {name:'workspaces that are no list',files:{'project/package.json':'{"workspaces":"x"}','project/packages/a/package.json':'{"name":"a"}'},cwd:'project/packages/a'},
 {name:'extension-file in the user file',files:{...P,'home/.npmrc':'extension-file=x.mjs\n'}},
]
module.exports=[...argv,...envs,...envArgs,...files]
