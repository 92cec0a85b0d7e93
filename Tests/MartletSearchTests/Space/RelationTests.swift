// Expressions over parameters: what is derived, what must hold, and what is wrong where.

import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@Suite struct RelationTests {
  private func space(_ relation: String, derived: [DerivedParameter] = []) throws -> Space {
    try Space(
      [
        Parameter("a", .integers(min: 0, max: 10)), Parameter("b", .real(.uniform(min: 0, max: 1))),
        Parameter(path: ["opt", "lr"], domain: .categorical([0.1, 0.2]), condition: .atLeast(5, "a")),
        Parameter("name", .categorical(["x", "y"])), Parameter("flag", .categorical([true, false])),
      ], derived: derived, relations: [Relation(parsing: relation)])
  }

  private func allows(_ relation: String, a: Int64, b: Double, lr: Double? = nil, flag: Bool = true) throws
    -> Bool
  {
    let space = try space(relation)
    var values: [String: JSONValue] = ["a": .int(a), "b": .double(b), "name": "x", "flag": .bool(flag)]
    if let lr { values["opt.lr"] = .double(lr) }
    let point = try #require(
      space.point(flat: .object(.init(uniqueKeysWithValues: values.sorted { $0.key < $1.key }))))
    let cube = UnitCube(space)
    return cube.isAllowed(try #require(cube.coordinates(of: point)))
  }

  @Test func comparisons() throws {
    #expect(try allows("a + b <= 3.5", a: 3, b: 0.5))
    #expect(try !allows("a + b < 3.5", a: 3, b: 0.5))
    #expect(try allows("0 < a and a < 4 and b == 0.5", a: 3, b: 0.5))
    #expect(try allows("0 < a <= 3 > b", a: 3, b: 0.5))
    #expect(try !allows("0 < a <= 2", a: 3, b: 0.5))
    #expect(try allows("2 * (b + 1) >= a", a: 3, b: 0.5))
    #expect(try !allows("flag == 1", a: 3, b: 0.5, flag: false))
    // Sums of decimals are what they look like.
    #expect(try allows("b + 0.2 <= 0.3", a: 3, b: 0.1))
    #expect(try allows("b + 0.2 == 0.3", a: 3, b: 0.1))
    #expect(try !allows("b + 0.2 > 0.3", a: 3, b: 0.1))
    // Nothing is asked of what has no value.
    #expect(try allows("opt.lr > 1", a: 3, b: 0.5))
    #expect(try !allows("`opt.lr` > 1", a: 6, b: 0.5, lr: 0.1))
  }

  @Test func wordsBetweenComparisons() throws {
    #expect(try allows("a != 4", a: 3, b: 0.5))
    #expect(try !allows("a != 3", a: 3, b: 0.5))
    #expect(try allows("a > 5 or b < 1", a: 3, b: 0.5))
    #expect(try !allows("a > 5 or b > 1", a: 3, b: 0.5))
    // `and` binds more tightly than `or`, and `not` than both.
    #expect(try allows("a == 3 or a == 4 and b > 1", a: 3, b: 0.5))
    #expect(try !allows("(a == 3 or a == 4) and b > 1", a: 3, b: 0.5))
    #expect(try allows("not a == 4 and b < 1", a: 3, b: 0.5))
    #expect(try !allows("not (a == 3 and (b + 1) * 2 < 4)", a: 3, b: 0.5))
    #expect(try allows("(a + 1) * 2 == 8 and (b) < (1)", a: 3, b: 0.5))
    // What has no value is neither, also behind `not`; what is true beside it decides.
    #expect(try allows("not opt.lr > 0", a: 3, b: 0.5))
    #expect(try allows("opt.lr > 1 or a == 0", a: 3, b: 0.5))
    #expect(try !allows("opt.lr > 1 and a == 0", a: 3, b: 0.5))
  }

  @Test func texts() throws {
    #expect(try allows("name == 'x'", a: 3, b: 0.5))
    #expect(try allows(#"name != "y" and "x" == name"#, a: 3, b: 0.5))
    #expect(try !allows("not(name=='x')or a>3", a: 3, b: 0.5))
    #expect(try !allows("`name` == 'y'", a: 3, b: 0.5))
  }

  @Test(arguments: [
    ("a", "A comparison is missing.", 0..<1), ("a < 3 and b", "A comparison is missing.", 9..<11),
    ("a <", "There is no expression.", 3..<3),
    ("a < 3 and b * > 1", "A value is missing at the end.", 14..<14),
    ("a = 3", "'=' is no comparison.", 2..<3), ("(a < 2", "This parenthesis is not closed.", 0..<1),
    ("a < 2) and b < 1", "This parenthesis closes nothing.", 5..<6),
    ("a < 2 and foo(b) < 1", "There is no function 'foo'.", 10..<13),
    ("a < 2 or name == 'x", "This quote has no end.", 17..<19),
    ("'x' == 'y'", "Two texts are compared with each other.", 0..<10),
    ("a + 1 == 'x'", "A text is compared with an expression.", 0..<12),
    ("name < 'x'", "'<' compares numbers.", 0..<10), ("not", "A comparison is missing.", 0..<3),
    ("a < 1 or", "A comparison is missing.", 8..<8), ("not (a)", "A comparison is missing.", 5..<6),
  ])
  func faultsHaveAPlace(text: String, message: String, range: Range<Int>) {
    do {
      _ = try Relation(parsing: text)
      Issue.record("'\(text)' was read")
    } catch {
      #expect(error.message == message)
      #expect(error.range == range)
    }
  }

  @Test func namesMustBeNumbersThatAreThere() {
    #expect(
      throws: SearchError.invalidRelation("a < zero", message: "it names 'zero', which is no parameter")
    ) {
      try space("a < zero")
    }
    #expect(
      throws: SearchError.invalidRelation(
        "name < 1",
        message:
          "it names 'name', which has values that are no numbers; texts stand in quotes: name == 'a text'")
    ) { try space("name < 1") }
    #expect(
      throws: SearchError.invalidRelation(
        "a == 'x'", message: "it compares 'a', which is a number, with the text 'x'")
    ) { try space("a == 'x'") }
    #expect(
      throws: SearchError.invalidRelation(
        "a < 1 or name != 'yy'", message: "'name' never has the value 'yy'; did you mean 'y'?")
    ) { try space("a < 1 or name != 'yy'") }
    #expect(
      throws: SearchError.invalidRelation("zero == 'x'", message: "it names 'zero', which is no parameter")
    ) { try space("zero == 'x'") }
    #expect(throws: SearchError.self) {
      try space(
        "a < 1", derived: [DerivedParameter("x", parsing: "y + 1"), DerivedParameter("y", parsing: "a")])
    }
    #expect(throws: SearchError.repeatedParameter("b")) {
      try space("a < 1", derived: [DerivedParameter("b", parsing: "a + 1")])
    }
  }

  @Test func derivedParametersArePartOfThePoint() throws {
    let space = try space(
      "weight + value == 1 and twice <= 8",
      derived: [
        DerivedParameter("weight", parsing: "0.3 + 0 * b"),
        DerivedParameter(
          path: ["loss", "value"], expression: MetricExpression(parsingParameters: "1 - weight")),
        DerivedParameter("value", parsing: "`loss.value`"), DerivedParameter("twice", parsing: "2 * a"),
        DerivedParameter("rate", parsing: "opt.lr / 2"),
      ])
    let cube = UnitCube(space)
    let point = cube.point(at: [0.3, 0.5, 0, 1, 0])
    #expect(
      point.nested.text
        == #"{"a":3,"b":0.5,"name":"y","flag":true,"weight":0.3,"loss":{"value":0.7},"value":0.7,"twice":6}"#)
    #expect(cube.isAllowed([0.3, 0.5, 0, 1, 0]))
    #expect(!cube.isAllowed([0.9, 0.5, 0, 1, 0]))
    #expect(cube.point(at: [0.9, 0.5, 1, 1, 0])["rate"] == 0.1)
    // Read back with and without what follows from the rest.
    #expect(space.point(flat: point.flat) == point)
    #expect(cube.coordinates(of: point) != nil)
  }

  @Test func whatIsNotFiniteIsForbidden() throws {
    let space = try Space(
      [Parameter("a", .integers(min: 0, max: 2))], derived: [DerivedParameter("inverse", parsing: "1 / a")])
    var search = try Search(method: "grid", problem: SearchProblem(space: space, seed: 1))
    guard case .trial(let first) = search.ask(trial: 0) else {
      Issue.record("no first point")
      return
    }
    #expect(first.point.flat.text == #"{"a":1,"inverse":1}"#)
    #expect(
      throws: SearchError.pointForbidden(["a": 0], reason: "a derived parameter has no finite value there")
    ) {
      try search.enqueue(Point(values: ["a": 0]))
    }
  }
}
