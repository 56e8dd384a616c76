// node record.js > node.json
const parts = {
  scheme: ['http:', 'https:', 'ftp:', 'file:', 'git+ssh:', 'git:', 'foo:', 'HTTP:', 'h2+a.b-c:', ''],
  slashes: ['//', '/', '', '///', '\\\\', '/\\'],
  auth: ['', 'u@', 'u:p@', ':p@', '@', ':@', 'u@v@', 'ü:é@', 'a;b=c:d/'],
  host: ['x.example', 'X.Example', 'localhost', 'ä.example', 'Ä.example', 'xn--4ca.example', 'xn--a', 'straße.example', 'ｅｘ。jp', '1.2.3.4', '1.2.3', '0x7f.1', '256.1.1.1', '08', '1.2.3.4.5',
    '0x', '4294967296', '[::1]', '[::FFFF:1.2.3.4]', '[1::2::3]', '[::1%25a]', '[::1', 'a b', 'a%41b', 'a%20b', 'a%ffb', 'a_b', 'a..b', 'a.', '.', '', '-a-', 'a<b', 'a^b', 'C:', '😀.example', 'a\u00adb', 'ﬁ.example', 'x\u0000y'],
  port: ['', ':80', ':443', ':21', ':0', ':00080', ':65535', ':65536', ':', ':b', ':+1', ':-1', ':1.5'],
  path: ['', '/', '/a/../b', '/..', '/./', '/%2e%2E/b', '/a/.%2e', '//b//', '/a b', '/ö', '/"<>`{}|^[]', '/\\x\\', '/%zz%', '/C:/../x', '/C|/x', 'x', ':x'],
  tail: ['', '?', '#', '?#', '?q=a b\'"<>`{}', '#f g"<>`{}', '?ü#é', '#a#b?c'],
}
const urls = new Set(['', ' ', 'localhost', '/x', 'mailto:a@b', 'javascript:x y', 'foo:/..//x', 'foo:/.//x', 'foo://', 'foo:///x', ' http://a ', 'http://a\n.b\tc', '\u0000http://a', 'file:a', 'file:C:/x', 'file://C:', 'http://İ.example', 'file:///C|/..', 'file://localhost/x', 'file:////x', '1http://a', 'http', 'http:', 'a:b'])
// Every value of each part, with three choices of all the others.
for (const at of Object.keys(parts)) {
  for (const value of parts[at]) {
    for (let turn = 0; turn < 3; turn++) {
      urls.add(Object.keys(parts).map((k, i) => k === at ? value : parts[k][turn === 0 ? 0 : (turn * 7 + i * 3 + value.length) % parts[k].length]).join(''))
    }
  }
}
// Node 20 takes any first segment that begins so for a drive that no .. can leave.
for (const text of urls) if (/^file:\/*[a-z]:[^/|].*\/%2e%2e/i.test(text)) urls.delete(text)
console.log('[')
console.log([...urls].map(text => {
  try {
    const u = new URL(text)
    return JSON.stringify({ text, href: u.href, host: u.host, username: u.username, password: u.password, path: u.pathname })
  } catch {
    return JSON.stringify({ text })
  }
}).join(',\n'))
console.log(']')
