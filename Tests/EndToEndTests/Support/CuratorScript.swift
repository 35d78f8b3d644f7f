import Foundation
import TestKit
import Testing

/// Programs on Curator, as Debian packages it, run by BeanShell: they need no compiler.
enum Curator {
  /// The jars, by their names in `/usr/share/java`.
  private static let jars = [
    "bsh", "curator-recipes", "curator-framework", "curator-client", "guava", "zookeeper", "slf4j-api",
  ]

  private static func path(_ jar: String) -> String { "/usr/share/java/\(jar).jar" }

  /// Whether the packages that it takes are installed; in CI they must be.
  static var isInstalled: Bool {
    let missing = jars.filter { !FileManager.default.isReadableFile(atPath: path($0)) }
    guard !missing.isEmpty else { return true }
    print("skipped, for these are not installed: \(missing.map(path).joined(separator: ", "))")
    if ProcessInfo.processInfo.environment["CI"] != nil { Issue.record("Curator is not installed") }
    return false
  }

  /// Starts one of the script's actions on a path; it goes on while the test does.
  static func start(
    _ action: String, _ servers: String, _ path: String, directory: String = "/nonexistent"
  ) throws -> RunningCommand {
    let file = try Scratch.directory("curator") + "/script.bsh"
    try Scratch.write(script, to: file)
    return try RunningCommand(
      "/usr/bin/java",
      [
        "-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-XX:-UsePerfData", "-cp",
        jars.map(self.path).joined(separator: ":"), "bsh.Interpreter", file, servers, action, path, directory,
      ])
  }

  private static let script = """
    import org.apache.curator.framework.*;
    import org.apache.curator.retry.*;
    import org.apache.curator.framework.recipes.locks.*;
    import org.apache.curator.framework.recipes.atomic.*;
    import org.apache.curator.framework.recipes.barriers.*;
    import org.apache.curator.framework.recipes.leader.*;
    import org.apache.curator.framework.recipes.nodes.*;
    import org.apache.curator.framework.recipes.queue.*;
    import java.util.concurrent.TimeUnit;

    action = bsh.args[1];
    path = bsh.args[2];
    client = CuratorFrameworkFactory.newClient(bsh.args[0], 30000, 30000, new ExponentialBackoffRetry(100, 10));
    client.start();

    inside(lock) {
        for (int i = 0; i < 6; i++) {
            lock.acquire();
            log = new java.io.FileWriter(bsh.args[3] + "/log", true);
            log.write(new java.io.File(bsh.args[3] + "/inside").mkdir() ? "curator\\n" : "overlap\\n");
            log.close();
            new java.io.File(bsh.args[3] + "/inside").delete();
            lock.release();
        }
    }

    if (action.equals("mutex")) inside(new InterProcessMutex(client, path));
    if (action.equals("write")) inside(new InterProcessReadWriteLock(client, path).writeLock());
    if (action.equals("read")) {
        lock = new InterProcessReadWriteLock(client, path).readLock();
        lock.acquire();
        print("reading");
        System.in.read();
        lock.release();
    }
    if (action.equals("slot")) {
        lease = new InterProcessSemaphoreV2(client, path, 2).acquire();
        print("leased");
        System.in.read();
        lease.close();
    }
    if (action.equals("latch")) {
        latch = new LeaderLatch(client, path, "java");
        latch.start();
        latch.await();
        print("leading");
        System.in.read();
        latch.close();
    }
    if (action.equals("barrier")) {
        barrier = new DistributedDoubleBarrier(client, path, 2);
        barrier.enter();
        print("entered");
        barrier.leave();
        print("left");
    }
    if (action.equals("data")) {
        queue = new SimpleDistributedQueue(client, path + "/queue");
        print(new String(queue.take()));
        queue.offer("from java".getBytes());
        counter = new DistributedAtomicLong(client, path + "/counter", new RetryNTimes(10, 10));
        print(counter.add(new Long(5)).postValue());
        member = new GroupMember(client, path + "/group", "java", "here".getBytes());
        member.start();
        print("member");
        System.in.read();
        while (member.getCurrentMembers().size() < 2) Thread.sleep(20);
        print(new java.util.TreeMap(member.getCurrentMembers()).keySet());
        member.close();
    }
    client.close();
    System.exit(0);
    """
}
