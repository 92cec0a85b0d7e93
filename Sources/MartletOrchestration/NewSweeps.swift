// A sweep before it begins: a file to begin with, what the file would do, and whose environment it has.

import Foundation
import MartletFormats
package import MartletModel
import MartletSearch
import MartletStore
import MartletTracking
import OrderedCollections

extension Engine {
  /// What `POST /sweeps` would begin, in words: nothing is made.
  ///
  /// - Throws: what beginning it would throw.
  package func plan(_ new: NewSweep, access: Access) async throws -> JSONValue {
    try check(access, mayUse: new.project)
    let new = try await surrounded(new, access: access)
    let imported = try await conductor.check(new, access: access)
    let pace = try await pace(of: new, access: access)
    let plan = try await blocking {
      do {
        return try SweepPlan(new.specification, imported: imported, pace: pace)
      } catch {
        throw Problem(.unprocessable, "The file cannot be searched: \(error).")
      }
    }
    var members = plan.json.object ?? [:]
    members["name"] = .string(new.name)
    members["project"] = .string(new.project)
    members["workdir"] = .string(new.workdir)
    members["command"] = JSONValue(new.specification.commandTemplate)
    return .object(members)
  }

  /// How long trials took in the newest sweep of the same name, or else in those that it learns from; nil: none has any.
  private func pace(of new: NewSweep, access: Access) async throws -> SweepPlan.Pace? {
    let (name, project, others) = (new.name, new.project, new.specification.warmStart)
    return try await store.read { reader in
      var sweeps = [try reader.newestSweep(called: name, inProject: project)].compactMap(\.self)
      for other in others {
        guard let id = try reader.sweep(called: other),
          try access.project == nil || reader.sweep(id)?.project == access.project
        else { continue }
        sweeps.append(id)
      }
      for id in sweeps {
        guard let seconds = try reader.usualTrialSeconds(ofSweep: id), let sweep = try reader.sweep(id) else {
          continue
        }
        return SweepPlan.Pace(seconds: seconds, source: "sweep '\(sweep.name)' (\(id))")
      }
      return nil
    }
  }

  /// What a new sweep may begin with: the file of `SweepTemplate`.
  package static func template(program: String) -> JSONValue {
    [
      "source": .string(SweepTemplate.text(program: program) + "\n"), "filename": nil, "workdir": nil,
      "command": nil, "output": nil, "environment_of": .string(EnvironmentOwner.serverWord),
    ]
  }

  /// What a new sweep like another may begin with: as that one was handed in.
  package func template(like id: PublicID, access: Access) async throws -> JSONValue {
    _ = try await sweep(id, access: access)
    guard let stored = try await store.read({ try $0.storedSweep(id) }) else {
      throw Problem(.notFound, "There is no sweep '\(id)'.")
    }
    let sweep = stored.sweep
    let specification = try? SweepSpecification.read(
      source: sweep.source, filename: stored.filename, command: stored.commandOverride)
    var workdir = sweep.workdir
    // The file's own goes from the folder that it was handed in with.
    if let own = specification?.workdir, workdir.hasSuffix("/\(own)") { workdir.removeLast(own.count + 1) }
    let results = URL(fileURLWithPath: sweep.outputDirectory).deletingLastPathComponent().path
    let isUsual = specification?.output != nil || results == URL(fileURLWithPath: data.results).path
    return [
      "source": .string(sweep.source), "filename": JSONValue(stored.filename), "workdir": .string(workdir),
      "command": stored.commandOverride.map { JSONValue($0) } ?? .null,
      "output": isUsual ? .null : .string(results), "environment_of": .string(id.rawValue),
    ]
  }

  /// The submission with the environment that it begins with; its own variables go before.
  func surrounded(_ new: NewSweep, access: Access) async throws -> NewSweep {
    var new = new
    switch new.environmentOwner {
    case nil: return new
    case .server:
      let base = OrderedDictionary(uniqueKeysWithValues: environment.sorted { $0.key < $1.key })
      new.environment.merge(base) { own, _ in own }
    case .sweep(let id):
      _ = try await sweep(id, access: access)
      let file = "\(data.sweep(id))/environment.json"
      let kept = try await blocking {
        do {
          return try JSONValue.parse(try Data(contentsOf: URL(fileURLWithPath: file)))
        } catch {
          throw Problem(
            .unprocessable, "The environment of sweep '\(id)' is not kept any more.",
            hint: "Begin the sweep with the server's: \"environment_of\": \"server\".",
            details: ["key": "environment_of"])
        }
      }
      var base = try NewSweep.environment(kept.object ?? [:])
      // Its file's `env` was handed in with its file: where the new one has none of it, it is not meant.
      for (name, value) in try await environment(ofFileOf: id) where base[name] == value { base[name] = nil }
      new.environment.merge(base) { own, _ in own }
    }
    return new
  }

  /// The variables that the file of a sweep sets.
  private func environment(ofFileOf id: PublicID) async throws -> OrderedDictionary<String, String> {
    guard let stored = try await store.read({ try $0.storedSweep(id) }) else { return [:] }
    return try await blocking {
      let specification = try? SweepSpecification.read(
        source: stored.sweep.source, filename: stored.filename, command: stored.commandOverride)
      return specification?.environment ?? [:]
    }
  }
}

/// Whose environment a sweep begins with that names one.
package enum EnvironmentOwner: Sendable, Hashable {
  static let serverWord = "server"

  /// That in which the server was started.
  case server
  /// That which another sweep was handed in with.
  case sweep(PublicID)

  /// - Throws: `JSONMemberError`.
  init?(_ reader: JSONReader, _ key: String) throws(JSONMemberError) {
    guard let word = try reader.string(key) else { return nil }
    if word == Self.serverWord {
      self = .server
    } else if let id = PublicID(rawValue: word) {
      self = .sweep(id)
    } else {
      throw JSONMemberError(key: key, message: "must be server, or the id of a sweep, not '\(word)'")
    }
  }
}
