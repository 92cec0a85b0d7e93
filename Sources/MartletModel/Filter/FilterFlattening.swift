// Filters as flat as what they say: `not` stands at single conditions alone, and nothing is joined within its like.

extension ResolvedFilter {
  /// The same answer for every run, in a tree in which `and` and `or` alternate and only a condition or a text is negated.
  ///
  /// A condition holds for a run or it does not, also where the run lacks the field: so De Morgan's laws hold, and two
  /// negations are none. Only the opposite of a condition is not another condition: `not lr<1` holds without an `lr`,
  /// `lr>=1` does not.
  public var flattened: ResolvedFilter { flattened(isNegated: false) }

  private func flattened(isNegated: Bool) -> ResolvedFilter {
    switch self {
    case .not(let inner): inner.flattened(isNegated: !isNegated)
    case .and(let terms): Self.joined(terms, isAnd: !isNegated, isNegated: isNegated)
    case .or(let branches): Self.joined(branches, isAnd: isNegated, isNegated: isNegated)
    case .test, .text: isNegated ? .not(self) : self
    }
  }

  private static func joined(_ parts: [ResolvedFilter], isAnd: Bool, isNegated: Bool) -> ResolvedFilter {
    var flat: [ResolvedFilter] = []
    for part in parts {
      switch (part.flattened(isNegated: isNegated), isAnd) {
      case (.and(let inner), true), (.or(let inner), false): flat += inner
      case (let other, _): flat.append(other)
      }
    }
    return flat.count == 1 ? flat[0] : isAnd ? .and(flat) : .or(flat)
  }

  /// Whether a value at a step (`.@1000`) is asked for anywhere in it.
  public var asksForSteps: Bool {
    switch self {
    case .or(let parts), .and(let parts): parts.contains(where: \.asksForSteps)
    case .not(let inner): inner.asksForSteps
    case .text: false
    case .test(let subject, _): subject.isAtStep
    }
  }
}

extension FilterSubject {
  /// Whether it is a value at a step, which is read from the run's points.
  public var isAtStep: Bool {
    switch self {
    case .metric(_, .at), .derived(_, .at): true
    case .attribute, .config, .summary, .metric, .derived: false
    }
  }
}
