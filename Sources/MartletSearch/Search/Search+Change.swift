// A search whose space, method or objectives were changed while it stood still.

import MartletModel

extension Search {
  /// A search of another version of the problem, or with another method, that knows what this one has learned.
  ///
  /// Trials are taken over by their values: bounds may have been widened or narrowed, values added or removed, parameters
  /// removed; where a value does not lie in the new space, or one is missing, the trial is forgotten. A trial that breaks
  /// new rules is kept: it is no less true. So it is with points that wait to be tried and trials under way. The method begins
  /// anew with that history.
  ///
  /// - Parameter first: further points to try, after those that wait already.
  /// - Throws: as `init`.
  public func changed(
    to problem: SearchProblem, method: String? = nil, first: [Point] = []
  ) throws(SearchError) -> Search {
    var search = try Search(method: method ?? self.method, problem: problem, repeats: repeats)
    let old = self.problem
    for trial in history.pending {
      guard let coordinates = problem.cube.coordinates(trial.coordinates, of: old.cube) else { continue }
      search.expect(PendingTrial(trial: trial.trial, coordinates: coordinates))
    }
    for var observation in history.observations {
      guard let coordinates = problem.cube.coordinates(observation.coordinates, of: old.cube) else {
        continue
      }
      observation.coordinates = coordinates
      observation.note = nil
      search.tell(observation)
    }
    for queued in waiting {
      guard let moved = problem.cube.coordinates(queued.coordinates, of: old.cube) else { continue }
      let point = problem.cube.point(at: moved)
      if problem.space.objection(to: point) == nil { try search.enqueue(point, isRepeat: queued.isRepeat) }
    }
    for point in first { try search.enqueue(point) }
    return search
  }
}

extension UnitCube {
  /// The coordinates here of a point of another version of the space; nil: it does not lie in this one.
  public func coordinates(_ coordinates: [Double], of old: UnitCube) -> [Double]? {
    let values = old.point(at: coordinates)
    var point = Point()
    for parameter in space.parameters {
      guard let value = values[parameter.name] else { continue }
      // What was searched and is a constant now fits with that value only.
      if case .constant(let own) = parameter.domain, own != value,
        own.double == nil || own.double != value.double
      {
        return nil
      }
      point.set(parameter.path, to: value)
    }
    return self.coordinates(of: point)
  }
}
