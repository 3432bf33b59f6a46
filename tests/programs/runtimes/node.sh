#!/bin/sh
# within: 300
# Node: V8's collector and compiler threads, libuv, workers, children, unix sockets, signals.
cat > works.js <<'END'
const {Worker, isMainThread, parentPort, workerData} = require('worker_threads');
const {spawn, fork, execFileSync} = require('child_process');
const net = require('net'), fs = require('fs'), crypto = require('crypto'), zlib = require('zlib');

if (!isMainThread) {
	const view = new Int32Array(workerData);
	for (let i = 0; i < 1000; i++) Atomics.add(view, 0, 1);
	Atomics.notify(view, 0);
	parentPort.postMessage('done');
} else if (process.argv[2] === 'child') {
	process.on('message', m => { process.send(m * 2); process.disconnect(); });
} else {
	const parts = {
		async workers() {
			const shared = new SharedArrayBuffer(4);
			await Promise.all([1, 2, 3].map(() => new Promise(r => new Worker(__filename, {workerData: shared}).on('exit', r))));
			return new Int32Array(shared)[0];
		},
		async children() {
			const c = spawn('sh', ['-c', 'cat; exit 4']);
			let out = '';
			c.stdout.on('data', d => out += d);
			c.stdin.end('x'.repeat(100000));
			const code = await new Promise(r => c.on('close', r));
			return out.length + ' ' + code + ' ' + execFileSync('echo', ['hi']).toString().trim();
		},
		ipc: () => new Promise(r => { const c = fork(__filename, ['child']); c.on('message', r); c.send(21); }),
		sockets: () => new Promise(r => {
			const s = net.createServer(c => c.pipe(c)).listen('sock', () => {
				const c = net.connect('sock', () => c.end('y'.repeat(300000)));
				let n = 0;
				c.on('data', d => n += d.length).on('end', () => { s.close(); r(n); });
			});
		}),
		files: async () => {
			await Promise.all([...Array(100).keys()].map(i => fs.promises.writeFile('f' + i, 'z'.repeat(i))));
			return (await fs.promises.readdir('.')).filter(n => n[0] === 'f').length;
		},
		watch: () => new Promise(r => { const w = fs.watch('.', (e, n) => { if (n === 'seen') { w.close(); r(e); } }); fs.writeFileSync('seen', ''); }),
		signal: () => new Promise(r => { process.once('SIGUSR2', r); process.kill(process.pid, 'SIGUSR2'); }),
		pool: () => Promise.all([1, 2, 3, 4, 5, 6].map(i => new Promise(r => crypto.pbkdf2('p', 's' + i, 1000, 8, 'sha256', (e, k) => r(k.toString('hex')))))),
		zlib: () => zlib.gunzipSync(zlib.gzipSync(Buffer.alloc(1 << 20))).length,
		collector: () => { let keep = []; for (let i = 0; i < 200000; i++) keep[i % 1000] = {i, s: 'a' + i}; return keep.length; },
		wasm: () => new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 6, 1, 4, 0, 65, 42, 11]))).exports.f(),
	};
	(async () => { for (const [name, fn] of Object.entries(parts)) console.log(name + ':', await fn()); })();
}
END
node works.js
echo "status $?"
node -e 'function f(n) { return f(n + 1) + 1 } try { f(0) } catch (e) { console.log(e.name) }'
node -e 'setTimeout(() => {}, 1e6); console.log("up")' > out & pid=$!
for i in $(seq 300); do grep -q up out && break; sleep 0.1; done
kill $pid; wait $pid; echo "status $?"
