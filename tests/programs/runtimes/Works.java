// SPDX-License-Identifier: MIT
// What the JVM asks of a kernel, a line each; the same on every kernel.
import java.io.*;
import java.net.*;
import java.nio.*;
import java.nio.channels.*;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;

public class Works {
	interface Part {
		Object run() throws Exception;
	}

	static void part(String name, Part p) throws Exception {
		System.out.println(name + ": " + p.run());
	}

	static Object threads() throws Exception {
		ExecutorService pool = Executors.newFixedThreadPool(50);
		AtomicLong sum = new AtomicLong();
		for (int i = 0; i < 5000; i++) {
			int n = i;
			pool.execute(() -> sum.addAndGet(n));
		}
		pool.shutdown();
		pool.awaitTermination(60, TimeUnit.SECONDS);
		return sum;
	}

	static int count;

	static synchronized void up() {
		count++;
	}

	static Object monitors() throws Exception {
		Thread[] t = new Thread[8];
		for (int i = 0; i < t.length; i++) {
			t[i] = new Thread(() -> {
				for (int k = 0; k < 20000; k++)
					up();
			});
			t[i].start();
		}
		for (Thread x : t)
			x.join();
		return count;
	}

	static Object collector() {
		Map<Integer, byte[]> kept = new HashMap<>();
		for (int i = 0; i < 20000; i++)
			kept.put(i % 500, new byte[i * 31 % 20000]);
		System.gc();
		return kept.size();
	}

	static int deeper(int n) {
		return deeper(n + 1) + 1;
	}

	/* A guard page below the stack, and a page that is not there: both are exceptions here. */
	static Object faults() {
		String text = "";
		try {
			deeper(0);
		} catch (StackOverflowError e) {
			text += "stack ";
		}
		for (int i = 0; i < 20000; i++) {
			int[] none = i % 1000 == 999 ? null : new int[1];
			try {
				none[0] = i;
			} catch (NullPointerException e) {
				text += i == 19999 ? "null" : "";
			}
		}
		return text;
	}

	static Object files() throws Exception {
		Path p = Files.createTempFile("works", ".bin");
		try (FileChannel c = FileChannel.open(p, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
			MappedByteBuffer m = c.map(FileChannel.MapMode.READ_WRITE, 0, 1 << 20);
			m.putInt(1000, 42);
			m.force();
			FileLock lock = c.lock(0, 10, false);
			ByteBuffer b = ByteBuffer.allocateDirect(4);
			c.read(b, 1000);
			lock.release();
			return b.getInt(0) + " " + c.size();
		} finally {
			Files.delete(p);
		}
	}

	static Object watch() throws Exception {
		Path dir = Files.createTempDirectory("works");
		try (WatchService w = dir.getFileSystem().newWatchService()) {
			dir.register(w, StandardWatchEventKinds.ENTRY_CREATE);
			Files.createFile(dir.resolve("new"));
			WatchKey k = w.poll(20, TimeUnit.SECONDS);
			return k.pollEvents().get(0).context();
		}
	}

	static Object processes() throws Exception {
		Process p = new ProcessBuilder("sh", "-c", "cat; exit 5").start();
		try (OutputStream o = p.getOutputStream()) {
			o.write("hello".getBytes());
		}
		String said = new String(p.getInputStream().readAllBytes());
		int status = p.waitFor();
		Process sleeper = new ProcessBuilder("sleep", "100").start();
		sleeper.destroy();
		return said + " " + status + " " + sleeper.waitFor();
	}

	static Object sockets() throws Exception {
		Path p = Files.createTempDirectory("works").resolve("s");
		UnixDomainSocketAddress at = UnixDomainSocketAddress.of(p);
		try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX); Selector s = Selector.open()) {
			server.bind(at);
			server.configureBlocking(false);
			server.register(s, SelectionKey.OP_ACCEPT);
			Thread client = new Thread(() -> {
				try (SocketChannel c = SocketChannel.open(at)) {
					c.write(ByteBuffer.wrap("over the socket".getBytes()));
				} catch (IOException e) {
					System.out.println(e);
				}
			});
			client.start();
			ByteBuffer b = ByteBuffer.allocate(100);
			for (boolean end = false; !end;) {
				s.select();
				for (Iterator<SelectionKey> i = s.selectedKeys().iterator(); i.hasNext(); i.remove()) {
					SelectionKey k = i.next();
					if (k.isAcceptable()) {
						SocketChannel c = server.accept();
						c.configureBlocking(false);
						c.register(s, SelectionKey.OP_READ);
					} else if (((SocketChannel)k.channel()).read(b) < 0) {
						end = true;
					}
				}
			}
			client.join();
			return new String(b.array(), 0, b.position());
		}
	}

	static Object sleepers() throws Exception {
		Thread t = new Thread(() -> {
			try {
				Thread.sleep(100000);
			} catch (InterruptedException e) {
				count = -1;
			}
		});
		t.start();
		Thread.sleep(20);
		t.interrupt();
		t.join();
		return count;
	}

	static void fill() {
		List<byte[]> all = new ArrayList<>();
		try {
			for (;;)
				all.add(new byte[1 << 20]);
		} catch (OutOfMemoryError e) {
			int n = all.size();
			all = null;
			System.out.println("out of memory: " + (n > 20));
		}
	}

	public static void main(String[] args) throws Exception {
		if (args.length > 0 && args[0].equals("memory")) {
			fill();
			return;
		}
		if (args.length > 0) {
			Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("the hook ran")));
			System.out.println("ready");
			Thread.sleep(1000000);
		}
		part("threads", Works::threads);
		part("monitors", Works::monitors);
		part("collector", Works::collector);
		part("faults", Works::faults);
		part("files", Works::files);
		part("watch", Works::watch);
		part("processes", Works::processes);
		part("sockets", Works::sockets);
		part("sleepers", Works::sleepers);
	}
}
