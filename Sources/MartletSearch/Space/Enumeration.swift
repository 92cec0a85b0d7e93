// All points of a finite space, counted and numbered.

import MartletModel

/// The points of a space as numbers from 0, conditions heeded: a parameter without value does not multiply them.
///
/// Parameters in order of evaluation (that of the file where nothing is conditional), the last one changing fastest.
struct Enumeration: Hashable, Sendable {
  /// Which of its questions each conditional parameter's parents answer with yes, a bit each; 0 for a parameter nobody
  /// asks about, and for one without value.
  fileprivate typealias Answers = [UInt64]

  fileprivate struct Step: Hashable, Sendable {
    var parameter: Int
    var count: Int
    /// It has a value when all these bits are set.
    var needs: [Need]
    /// For each of its values the answers; empty: nobody asks.
    var answers: [UInt64]
    /// Parents nobody asks about from here on.
    var forgets: [Int]
  }

  fileprivate struct Need: Hashable, Sendable {
    var step: Int
    var bit: UInt64
  }

  fileprivate struct Place: Hashable {
    var step: Int
    var answers: Answers
  }

  private let steps: [Step]
  /// How many ways there are to go on; of every place that can be reached.
  private let ways: [Place: Int]
  /// `Int.max`: as many or more.
  let count: Int

  /// Values of a parent, and places, that are looked at one by one at most.
  private static let largestParent = 1 << 17
  private static let mostPlaces = 1 << 14

  /// Nil: there is no end of points.
  init?(_ parameters: [Parameter], order: [Int]) {
    var steps: [Step] = []
    var questions: [[Condition]] = Array(repeating: [], count: order.count)
    var stepOfName: [String: Int] = [:]
    for index in order {
      let parameter = parameters[index]
      guard let count = parameter.domain.count else { return nil }
      var needs: [Need] = []
      for question in parameter.condition?.atoms ?? [] {
        guard let step = question.names.first.flatMap({ stepOfName[$0] }) else { continue }
        let bit = questions[step].firstIndex(of: question) ?? questions[step].count
        if bit == questions[step].count { questions[step].append(question) }
        needs.append(Need(step: step, bit: 1 << UInt64(bit % 64)))
      }
      stepOfName[parameter.name] = steps.count
      steps.append(Step(parameter: index, count: count, needs: needs, answers: [], forgets: []))
    }
    for (step, asked) in questions.enumerated() where !asked.isEmpty {
      let domain = parameters[steps[step].parameter].domain
      guard asked.count <= 64, steps[step].count <= Self.largestParent else {
        (self.steps, ways, count) = (steps, [:], Int.max)
        return
      }
      steps[step].answers = (0..<steps[step].count).map { index in
        let value = domain.value(at: index)
        return asked.enumerated().reduce(0) { $1.element.holds { _ in value } ? $0 | 1 << $1.offset : $0 }
      }
      let last = steps.lastIndex { $0.needs.contains { $0.step == step } } ?? step
      steps[last].forgets.append(step)
    }
    var ways: [Place: Int] = [:]
    let start = Place(step: 0, answers: Array(repeating: 0, count: steps.count))
    let total = Self.count(steps, start, &ways)
    self.steps = steps
    self.ways = ways.count <= Self.mostPlaces ? ways : [:]
    count = ways.count <= Self.mostPlaces ? total : Int.max
  }

  /// The ways to go on from a place; `Int.max`: as many or more, or not counted.
  private static func count(_ steps: [Step], _ place: Place, _ ways: inout [Place: Int]) -> Int {
    guard place.step < steps.count else { return 1 }
    if let known = ways[place] { return known }
    guard ways.count <= mostPlaces else { return Int.max }
    let step = steps[place.step]
    var total = 0
    if !step.isActive(place.answers) || step.answers.isEmpty {
      let rest = count(steps, step.next(place, answer: 0), &ways)
      total = step.isActive(place.answers) ? product(step.count, rest) : rest
    } else {
      var shares: [UInt64: Int] = [:]
      for answer in step.answers { shares[answer, default: 0] += 1 }
      for (answer, share) in shares {
        total = sum(total, product(share, count(steps, step.next(place, answer: answer), &ways)))
      }
    }
    ways[place] = total
    return total
  }

  private static func product(_ a: Int, _ b: Int) -> Int {
    let product = a.multipliedReportingOverflow(by: b)
    return product.overflow ? Int.max : product.partialValue
  }

  private static func sum(_ a: Int, _ b: Int) -> Int {
    let sum = a.addingReportingOverflow(b)
    return sum.overflow ? Int.max : sum.partialValue
  }

  /// For each parameter the index of its value in the point at `index`; nil: it has none. The index must be in `0..<count`,
  /// and `count` less than `Int.max`.
  func digits(at index: Int) -> [Int?] {
    var digits: [Int?] = Array(repeating: nil, count: steps.count)
    var place = Place(step: 0, answers: Array(repeating: 0, count: steps.count))
    var rest = index
    for step in steps {
      guard step.isActive(place.answers) else {
        place = step.next(place, answer: 0)
        continue
      }
      if step.answers.isEmpty {
        place = step.next(place, answer: 0)
        let size = ways(place)
        digits[step.parameter] = rest / size
        rest %= size
        continue
      }
      for (digit, answer) in step.answers.enumerated() {
        let after = step.next(place, answer: answer)
        let size = ways(after)
        if rest < size {
          digits[step.parameter] = digit
          place = after
          break
        }
        rest -= size
      }
    }
    return digits
  }

  private func ways(_ place: Place) -> Int { place.step < steps.count ? ways[place] ?? 1 : 1 }
}

extension Enumeration.Step {
  fileprivate func isActive(_ answers: [UInt64]) -> Bool {
    needs.allSatisfy { answers[$0.step] & $0.bit != 0 }
  }

  fileprivate func next(_ place: Enumeration.Place, answer: UInt64) -> Enumeration.Place {
    var answers = place.answers
    answers[place.step] = answer
    for step in forgets { answers[step] = 0 }
    return Enumeration.Place(step: place.step + 1, answers: answers)
  }
}
