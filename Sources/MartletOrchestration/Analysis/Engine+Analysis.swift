// What the trials of a sweep showed, for whoever may see it.

import MartletFormats
package import MartletModel
import MartletStore
import OrderedCollections

extension Engine {
  /// The findings of a sweep about one of its objectives, as JSON.
  ///
  /// - Throws: `Problem.unprocessable` for a sweep that looks for nothing, or has no such objective.
  package func analysis(ofSweep id: PublicID, objective: Int, access: Access) async throws -> [UInt8] {
    let sweep = try await sweep(id, access: access)
    guard sweep.objective != nil else {
      throw Problem(
        .unprocessable, "Sweep '\(id)' looks for nothing: its file names no metric.",
        hint: "A sweep file says what trials are judged by under 'metric'.")
    }
    let store = store
    let mark = try await store.read { try $0.trialMark(of: id) }
    return try await analyses.answer(SweepAnalyses.Key(sweep: id, objective: objective), mark) {
      let (stored, trials) = try await store.read { (try $0.storedSweep(id), try $0.trials(of: id)) }
      return {
        guard let stored else { throw Problem(.notFound, "There is no sweep '\(id)'.") }
        let specification = try Self.specification(of: stored)
        let count = specification.objectives.count
        guard specification.objectives.indices.contains(objective) else {
          throw Problem(
            .unprocessable,
            "Sweep '\(id)' has \(count == 1 ? "one objective" : "\(count) objectives"): there is none at place \(objective).",
            hint: "Places count from 0.", details: ["key": "objective"])
        }
        return SweepFindings(of: id, specification, trials, objective: objective).json.bytes()
      }
    }
  }

  private static func specification(of stored: StoredSweep) throws(Problem) -> SweepSpecification {
    do {
      return try SweepSpecification.read(
        source: stored.sweep.source, filename: stored.filename, command: stored.commandOverride)
    } catch {
      throw error.problem
    }
  }
}
