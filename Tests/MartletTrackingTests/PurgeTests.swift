// Runs that are purged: what goes from the disk, what stays, and who is told.

import Foundation
import Glibc
import MartletModel
import MartletStore
import MartletTestSupport
import Testing

@testable import MartletTracking

@Suite struct PurgeTests {
  private func exists(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
  }

  private func path(_ id: PublicID, _ bench: Bench) -> String { "\(bench.directory.path)/runs/\(id)" }

  /// An executed run that has ended, with a directory as a supervisor leaves it.
  private func ended(_ bench: Bench) async throws -> PublicID {
    let run = try await bench.executed([.starting, .running, .finished])
    let attempt = "\(path(run, bench))/attempt-1"
    try FileManager.default.createDirectory(
      atPath: "\(attempt)/spool/blobs", withIntermediateDirectories: true)
    for name in [
      "environment.json", "attempt-1/lock", "attempt-1/exit.json", "attempt-1/stdout.log",
      "attempt-1/spool/a.spool", "attempt-1/spool/blobs/b",
    ] { try bench.directory.write([1], to: "runs/\(run)/\(name)") }
    return run
  }

  /// As the next server does on the same directory.
  private func restarted(_ bench: Bench) throws -> Tracking {
    Tracking(
      store: bench.store, blobs: bench.tracking.blobs,
      directories: RunDirectories(data: bench.directory.path), feed: LiveFeed(), clock: bench.clock)
  }

  /// Whose purge has not ended yet.
  private func purged(_ bench: Bench) async throws -> [PublicID] {
    try await bench.store.read { try $0.purgedRuns(all: true) }
  }

  @Test func itsDirectoryGoesAndNothingElse() async throws {
    let bench = try await Bench()
    let (run, other) = (try await ended(bench), try await ended(bench))
    let root = bench.directory.path
    for name in ["results", "results/run", "elsewhere", "elsewhere/attempt-1"] {
      #expect(mkdir("\(root)/\(name)", 0o700) == 0)
    }
    for name in ["results/run/model", "elsewhere/precious", "elsewhere/attempt-1/lock"] {
      try bench.directory.write([1], to: name)
    }
    for (name, target) in [
      ("link", "elsewhere"), ("attempt-2", "elsewhere/attempt-1"), ("attempt-1/spool/link", "elsewhere"),
      ("attempt-1/file", "elsewhere/precious"), ("attempt-1/nowhere", "nothing"),
    ] { #expect(symlink("\(root)/\(target)", "\(path(run, bench))/\(name)") == 0) }
    // A name that is no text.
    let odd = Array("\(path(run, bench))/x".utf8CString.dropLast()) + [-1, 0]
    #expect(close(open(odd, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)) == 0)
    _ = try await bench.tracking.deleteRun(run, purge: false, access: bench.access)
    #expect(exists("\(path(run, bench))/attempt-1/stdout.log"), "the trash keeps it")
    _ = try await bench.tracking.deleteRun(run, purge: true, access: bench.access)
    #expect(!exists(path(run, bench)))
    for name in ["results/run/model", "elsewhere/precious", "elsewhere/attempt-1/lock"] {
      #expect(exists("\(root)/\(name)"), "\(name)")
    }
    #expect(exists("\(path(other, bench))/attempt-1/spool/blobs/b"))
    try await bench.store.settle()
    try await bench.tracking.clean(by: bench.access.principal)
    #expect(try await purged(bench) == [])
    // A run from outside has none.
    let outside = try await bench.create()
    _ = try await bench.tracking.deleteRun(outside, purge: true, access: bench.access)
    try await bench.store.settle()
    try await bench.tracking.clean(by: bench.access.principal)
    #expect(try await purged(bench) == [])
  }

  /// A server that is killed between the commit and the disk.
  @Test func theNextServerGoesOn() async throws {
    let bench = try await Bench()
    let (run, other) = (try await ended(bench), try await ended(bench))
    try await bench.store.purge(run, by: bench.access.principal, now: noon)
    try await bench.store.settle()
    #expect(try await purged(bench) == [run])
    // Killed again in the midst of it.
    try FileManager.default.removeItem(atPath: "\(path(run, bench))/attempt-1/lock")
    let next = try restarted(bench)
    #expect(exists(path(run, bench)))
    try await next.clean(by: bench.access.principal)
    #expect(!exists(path(run, bench)))
    #expect(exists(path(other, bench)))
    #expect(try await purged(bench) == [])
  }

  @Test func whereASupervisorLivesNothingGoes() async throws {
    let bench = try await Bench()
    let run = try await ended(bench)
    let lock = open("\(path(run, bench))/attempt-1/lock", O_RDWR | O_CLOEXEC)
    #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
    _ = try await bench.tracking.deleteRun(run, purge: true, access: bench.access)
    try await bench.store.settle()
    for _ in 0..<2 { try await bench.tracking.clean(by: bench.access.principal) }
    #expect(exists("\(path(run, bench))/environment.json"))
    #expect(exists("\(path(run, bench))/attempt-1/stdout.log"))
    #expect(try await purged(bench) == [run])
    close(lock)
    try await bench.tracking.clean(by: bench.access.principal)
    #expect(!exists(path(run, bench)))
    #expect(try await purged(bench) == [])
  }

  @Test func linksAreNotFollowed() async throws {
    let bench = try await Bench()
    let (run, second) = (try await ended(bench), try await ended(bench))
    let root = bench.directory.path
    // The run's directory itself.
    #expect(rename(path(run, bench), "\(root)/moved") == 0)
    #expect(symlink("\(root)/moved", path(run, bench)) == 0)
    _ = try await bench.tracking.deleteRun(run, purge: true, access: bench.access)
    #expect(!exists(path(run, bench)))
    #expect(exists("\(root)/moved/attempt-1/stdout.log"))
    // The directory of all.
    #expect(rename("\(root)/runs", "\(root)/others") == 0)
    #expect(symlink("\(root)/others", "\(root)/runs") == 0)
    _ = try await bench.tracking.deleteRun(second, purge: true, access: bench.access)
    #expect(exists("\(root)/others/\(second)/attempt-1/stdout.log"))
    try await bench.store.settle()
    #expect(try await purged(bench).contains(second))
    // The next start tries it again.
    #expect(unlink("\(root)/runs") == 0)
    #expect(rename("\(root)/others", "\(root)/runs") == 0)
    try await restarted(bench).clean(by: bench.access.principal)
    #expect(!exists(path(second, bench)))
    #expect(try await purged(bench) == [])
  }

  /// One word, when nobody can find the run any more.
  @Test func watchersAreToldWhenItIsGone() async throws {
    let bench = try await Bench()
    let (run, old) = (try await bench.create(), try await bench.create())
    _ = try await bench.tracking.deleteRun(old, purge: false, access: bench.access)
    let told = Recorder()
    let subscription = bench.feed.subscribe(told.take)
    _ = try await bench.tracking.deleteRun(run, purge: true, access: bench.access)
    #expect(told.news(of: run) == ["deleted"])
    // Who looked into the trash is told that it is emptied.
    bench.clock.advance(Tracking.trashLifetime + 1)
    try await bench.tracking.clean(by: bench.access.principal)
    #expect(told.news(of: old) == ["deleted"])
    _ = try await problem(.notFound) { _ = try await bench.show(old) }
    subscription.cancel()
  }
}
