// What the trials of a sweep showed, for whoever may see it.

import Foundation
import MartletFormats
package import MartletModel
import MartletStore
import OrderedCollections

extension Engine {
  /// The findings of a sweep about one of its objectives, as JSON.
  ///
  /// - Throws: `Problem.unprocessable` for a sweep that looks for nothing, or has not what is asked about.
  package func analysis(
    ofSweep id: PublicID, _ asked: AnalysisQuestion, access: Access
  ) async throws -> [UInt8] {
    let sweep = try await sweep(id, access: access)
    guard sweep.objective != nil else {
      throw Problem(
        .unprocessable, "Sweep '\(id)' looks for nothing: its file names no metric.",
        hint: "A sweep file says what trials are judged by under 'metric'.")
    }
    let store = store
    let (mark, stored) = try await store.read { (try $0.trialMark(of: id), try $0.storedSweep(id)) }
    guard let stored else { throw Problem(.notFound, "There is no sweep '\(id)'.") }
    let specification = try Self.specification(of: stored)
    var question = try asked.resolved(in: specification, of: id)
    // What runs now is not kept: it is put to the rest.
    let withTimeline = question.charts.remove(.timeline) != nil
    let answer = try await analyses.answer(SweepAnalyses.Key(sweep: id, question: question), mark) {
      [question] in
      let trials = try await store.read { try $0.trials(of: id) }
      return { SweepFindings(of: id, specification, trials, question).json.bytes() }
    }
    guard withTimeline else { return answer }
    let trials = try await store.read { try $0.trials(of: id) }
    let timeline = SweepFindings.timeline(trials, now: Date().timeIntervalSince1970)
    return try SweepFindings.adding(timeline, to: answer)
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
