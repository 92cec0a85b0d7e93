// What a server can find wrong with itself and its data directory.

import CDispatch  // where the module map puts struct stat
import Foundation
import Glibc
import MartletExecution
import MartletModel
import MartletOrchestration
import MartletStore
import MartletTracking

struct DoctorCheck: Sendable {
  enum Status: String, Sendable, CaseIterable { case ok, warning, error }

  var name: String
  var status: Status
  var message: String
  var hint: String?

  var json: JSONValue {
    [
      "name": .string(name), "status": .string(status.rawValue), "message": .string(message),
      "hint": JSONValue(hint),
    ]
  }
}

func doctorChecks(_ services: Services) async throws -> [DoctorCheck] {
  let health = try await services.store.health()
  let (data, token) = (services.engine.data.path, services.engine.localTokenPath)
  let files = try await blocking {
    [directoryCheck(data), tokenCheck(token), diskCheck(data), openFilesCheck()]
  }
  let sampling = await samplingCheck(services.engine.sampling)
  let found = try await services.engine.findings().map { finding in
    DoctorCheck(
      name: finding.name, status: DoctorCheck.Status(rawValue: finding.level.rawValue) ?? .warning,
      message: finding.message, hint: finding.hint)
  }
  let limits = limitsCheck(services.engine.limitWays)
  return databaseChecks(health) + files + [sampling, limits] + found + [exposureCheck(services.options)]
}

/// How limits of attempts are kept (docs/supervisor.md).
private func limitsCheck(_ ways: (memory: LimitWay, cpus: LimitWay, killsByGroup: Bool)) -> DoctorCheck {
  let memory =
    switch ways.memory {
    case .groupOfVersion2, .groupOfVersion1, .affinity: "by the kernel (\(ways.memory.rawValue))"
    case .polling: "by looking at their processes ten times a second"
    }
  let cpus =
    switch ways.cpus {
    case .groupOfVersion2, .groupOfVersion1, .polling: "by the kernel (\(ways.cpus.rawValue))"
    case .affinity: "by binding them to as many"
    }
  let end = ways.killsByGroup ? "cgroup.kill" : "their process trees"
  return DoctorCheck(
    name: "limits", status: .ok,
    message:
      "Limits of attempts are kept \(memory) for memory and \(cpus) for processors; attempts are ended by \(end).",
    hint: nil)
}

private func samplingCheck(_ sampling: Sampling?) async -> DoctorCheck {
  let name = "system metrics"
  guard let sampling else {
    return DoctorCheck(
      name: name, status: .warning, message: "What runs use is not sampled.",
      hint: "Start the server without --sample-every 0.")
  }
  let (gpus, silentMounts) = await sampling.report()
  let every = "What runs use is sampled every \(seconds(sampling.interval)) s"
  if let silence = gpus.silence {
    return DoctorCheck(
      name: name, status: .warning,
      message: "\(every), without GPUs: their driver has not answered for \(Int(silence)) s.",
      hint:
        "Ask the driver itself: nvidia-smi hangs too, as a rule, until the driver or the machine is restarted."
    )
  }
  if let mount = silentMounts.first {
    return DoctorCheck(
      name: name, status: .warning, message: "\(every); the file system at \(mount) does not answer.",
      hint: "Look at the server that it comes from.")
  }
  let sources = gpus.sources
  let words =
    sources.isEmpty
    ? "no GPU's driver was found" : sources.map { "\($0.name) tells of \($0.count)" }.joined(separator: ", ")
  let isSilent = sources.contains { $0.count == 0 }
  return DoctorCheck(
    name: name, status: isSilent ? .warning : .ok, message: "\(every); of GPUs, \(words).",
    hint: isSilent ? "Ask the driver itself: nvidia-smi must list the GPUs." : nil)
}

private func openFilesCheck() -> DoctorCheck {
  let name = "open files"
  var limit = rlimit()
  guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0,
    let used = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
  else { return DoctorCheck(name: name, status: .warning, message: "Their limit cannot be asked.") }
  let all = Int(clamping: limit.rlim_cur)
  let isShort = all < 1_024 || used > all / 5 * 4
  return DoctorCheck(
    name: name, status: isShort ? .warning : .ok, message: "The server has \(used) open, of at most \(all).",
    hint: isShort
      ? "Raise the hard limit (ulimit -Hn, LimitNOFILE=) and restart the server: connections and runs need them."
      : nil)
}

/// A whole number without its fraction.
private func seconds(_ value: Double) -> String {
  value == value.rounded() ? String(Int(value)) : String(value)
}

private func databaseChecks(_ health: StoreHealth) -> [DoctorCheck] {
  let isDurable = health.synchronous == 2
  let isWAL = health.journalMode.lowercased() == "wal"
  let walMegabytes = health.walBytes >> 20
  return [
    DoctorCheck(
      name: "synchronous", status: isDurable ? .ok : .error,
      message: isDurable
        ? "The writer runs with synchronous=FULL: what was answered survives a power cut."
        : "The writer runs with synchronous=\(health.synchronous), not 2 (FULL): a power cut may take answered data.",
      hint: isDurable ? nil : "Restart the server; if this stays, report it."),
    DoctorCheck(
      name: "journal", status: isWAL ? .ok : .error,
      message: "The database's journal mode is \(health.journalMode).",
      hint: isWAL
        ? nil : "Keep the data directory on a local file system, where SQLite can use a write-ahead log."),
    DoctorCheck(
      name: "write-ahead log", status: walMegabytes < 256 ? .ok : .warning,
      message: "The write-ahead log has \(walMegabytes) MiB.",
      hint: walMegabytes < 256
        ? nil : "Something keeps a reader open for long; restarting the server empties it."),
    DoctorCheck(
      name: "foreign keys", status: health.foreignKeys ? .ok : .error,
      message: "The database \(health.foreignKeys ? "keeps" : "does not keep") its references whole."),
  ]
}

private func directoryCheck(_ path: String) -> DoctorCheck {
  var status = stat()
  guard stat(path, &status) == 0 else {
    return DoctorCheck(
      name: "data directory", status: .error,
      message: "\(path) cannot be looked at: \(String(cString: strerror(errno))).")
  }
  let isPrivate = status.st_mode & 0o022 == 0 && status.st_uid == geteuid()
  return DoctorCheck(
    name: "data directory", status: isPrivate ? .ok : .error,
    message: isPrivate
      ? "\(path) belongs to this account and nobody else can write there." : "Others can write in \(path).",
    hint: isPrivate ? nil : "chmod 700 \(path)")
}

private func tokenCheck(_ path: String) -> DoctorCheck {
  do {
    if try LocalTokenFile.read(path) != nil {
      return DoctorCheck(
        name: "token file", status: .ok, message: "\(path) is readable by this account alone.")
    }
    return DoctorCheck(
      name: "token file", status: .error, message: "\(path) is missing, or others can read it.",
      hint: "Restart the server: it makes a new one and revokes the old.")
  } catch {
    return DoctorCheck(name: "token file", status: .error, message: "\(error)")
  }
}

private func diskCheck(_ path: String) -> DoctorCheck {
  var status = statvfs()
  guard statvfs(path, &status) == 0 else {
    return DoctorCheck(
      name: "disk", status: .warning,
      message: "The free room at \(path) is not known: \(String(cString: strerror(errno))).")
  }
  let free = (UInt64(status.f_bavail) * UInt64(status.f_frsize)) >> 20
  return DoctorCheck(
    name: "disk", status: free < 100 ? .error : free < 1024 ? .warning : .ok,
    message: "\(free) MiB are free at \(path).",
    hint: free < 1024 ? "Make room: when the disk is full, nothing more is accepted." : nil)
}

private func exposureCheck(_ options: ServerOptions) -> DoctorCheck {
  if options.openLoopback {
    return DoctorCheck(
      name: "access", status: .warning,
      message: "Everybody on this machine may do everything without a token.",
      hint: "Start without --open-loopback when other people use this machine.")
  }
  if !isLoopback(options.host), options.plainHTTP {
    return DoctorCheck(
      name: "access", status: .warning, message: "Tokens cross the network unencrypted (--plain-http).",
      hint: "Put a proxy with TLS in front and start with --behind-proxy, or reach the server by ssh -L.")
  }
  return DoctorCheck(name: "access", status: .ok, message: "Every request needs a token.")
}
