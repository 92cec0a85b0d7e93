// Histories to files: read a page at a time, written as they come.

import Foundation
import MartletModel

/// A run whose history is exported.
struct RunReference: Sendable {
  var id: String
  var name: String
}

/// What was written.
struct ExportedCount {
  var rows = 0
  /// Runs that went while they were exported.
  var missing = 0
}

/// Writes histories in one form.
struct HistoryExport {
  let client: Client
  let form: Export.Form
  /// Nil: all names.
  let keys: [String]?

  private var progress = ProgressLine()
  private(set) var count = ExportedCount()
  private var total = 0
  private var done = 0

  init(client: Client, form: Export.Form, keys: [String]?) {
    (self.client, self.form, self.keys) = (client, form, keys)
  }

  /// A file for each run.
  mutating func write(_ runs: [RunReference], to directory: ExportDirectory) async throws {
    total = runs.count
    for run in runs {
      let file = try OutputFile(path: directory.place(of: directory.history(of: run)))
      do {
        switch form {
        case .jsonl: try await copy(run, to: file)
        case .csv:
          let names = try await columns(of: run)
          try file.write(CSV.line(HistoryPages.fixed + names))
          try await tabulate(run, names: names, to: file)
        }
        try file.finish()
      } catch let failure as Failure where failure.status == .notFound {
        file.discard()
        noteMissing(run)
      } catch {
        file.discard()
        progress.clear()
        throw error
      }
      done += 1
    }
    progress.clear()
  }

  /// One table on standard output, whose first column or member is the run's id.
  mutating func print(_ runs: [RunReference]) async throws {
    total = runs.count
    let file = try OutputFile(path: nil)
    var names: [String] = []
    if form == .csv {
      var known: Set<String> = []
      for run in runs {
        do {
          names += try await columns(of: run).filter { known.insert($0).inserted }
        } catch let failure as Failure where failure.status == .notFound {
          continue  // said below
        }
      }
      try file.write(CSV.line(["run"] + HistoryPages.fixed + names))
    }
    for run in runs {
      do {
        switch form {
        case .jsonl: try await copy(run, member: "{\"run\":\"\(run.id)\",", to: file)
        case .csv: try await tabulate(run, names: names, lead: "\(run.id),", to: file)
        }
      } catch let failure as Failure where failure.status == .notFound {
        noteMissing(run)
      }
      done += 1
    }
    try file.finish()
    progress.clear()
  }

  private func columns(of run: RunReference) async throws -> [String] {
    if let keys { return keys }
    return try await HistoryPages.names(of: run.id, client)
  }

  /// - Parameter member: what each line begins with in place of its brace.
  private mutating func copy(_ run: RunReference, member: String? = nil, to file: OutputFile) async throws {
    var pages = HistoryPages(client, run: run.id, window: HistoryWindow(keys: keys))
    while let lines = try await pages.next() {
      if let member {
        for line in lines.split(separator: UInt8(ascii: "\n")) {
          try file.write(member)
          try file.write(line.dropFirst())
          try file.write("\n")
        }
      } else {
        try file.write(lines)
      }
      show(run, lines.count(where: { $0 == UInt8(ascii: "\n") }))
    }
  }

  private mutating func tabulate(
    _ run: RunReference, names: [String], lead: String = "", to file: OutputFile
  ) async throws {
    var pages = HistoryPages(client, run: run.id, window: HistoryWindow(keys: keys))
    var table = HistoryTable(names: names)
    var out: [UInt8] = []
    while let lines = try await pages.next() {
      out.removeAll(keepingCapacity: true)
      let cut = try table.append(lines, lead: lead, skipsUnknown: keys != nil, to: &out)
      try file.write(out)
      show(run, cut ?? lines.count(where: { $0 == UInt8(ascii: "\n") }))
      if cut != nil {
        // The heading was read first: what has a name that is not in it came later.
        progress.complain(
          "martlet: run \(run.id) goes on, with names that are new: its table ends with the rows that were there before."
        )
        return
      }
    }
  }

  private mutating func show(_ run: RunReference, _ rows: Int) {
    count.rows += rows
    progress.draw("\(done)/\(total) runs  \(Words.count(Int64(count.rows), "row"))  \(run.name)")
  }

  private mutating func noteMissing(_ run: RunReference) {
    count.missing += 1
    progress.complain("martlet: run \(run.id) has gone since it was listed; it has no history here.")
  }
}
