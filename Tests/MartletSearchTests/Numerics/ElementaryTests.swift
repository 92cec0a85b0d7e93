// Elementary functions against values computed to 60 digits.

import Testing

@testable import MartletSearch

@Suite struct ElementaryTests {
  /// The largest error, in units in the last place of the right value.
  private func units(_ table: [(Double, Double)], _ function: (Double) -> Double) -> Double {
    table.map { argument, value in
      let error = (function(argument) - value).magnitude
      return error == 0 ? 0 : error / max(value.ulp, .leastNonzeroMagnitude)
    }.max() ?? .infinity
  }

  @Test func errorsStayWithinTheirBounds() {
    #expect(units(ElementaryReference.exp, Elementary.exp) <= 1)
    #expect(units(ElementaryReference.expm1, Elementary.expm1) <= 2)
    #expect(units(ElementaryReference.log, Elementary.log) <= 1)
    #expect(units(ElementaryReference.log1p, Elementary.log1p) <= 2)
    #expect(units(ElementaryReference.erfc, Elementary.erfc) <= 4)
    #expect(units(ElementaryReference.erfcx, Elementary.erfcx) <= 4)
  }

  @Test func errorsStaySmallWhereUnitsMeanNothing() {
    // Near a zero of the function only the absolute error can be small.
    for (argument, value) in ElementaryReference.lgamma {
      #expect((Elementary.lgamma(argument) - value).magnitude <= 1e-14 * max(value.magnitude, 1))
    }
    for (argument, value) in ElementaryReference.sinTurn {
      #expect((Elementary.sinTurn(argument) - value).magnitude <= 2.5e-16)
    }
    for (argument, value) in ElementaryReference.cosTurn {
      #expect((Elementary.cosTurn(argument) - value).magnitude <= 2.5e-16)
    }
    for (argument, value) in ElementaryReference.cumulative {
      #expect((Normal.cumulative(argument) - value).magnitude <= 1e-15 * value * max(1, argument * argument))
    }
    for (argument, value) in ElementaryReference.logCumulative {
      // On the right it is as small as the share above, and has the error of that.
      let bound = 4e-15 * value.magnitude * max(1, argument * argument)
      #expect((Normal.logCumulative(argument) - value).magnitude <= bound)
    }
    for (argument, value) in ElementaryReference.quantile {
      #expect((Normal.quantile(argument) - value).magnitude <= 4e-15 * max(value.magnitude, 1))
    }
    for (argument, value) in ElementaryReference.logImprovement {
      #expect((Normal.logImprovement(argument) - value).magnitude <= 2e-13 * max(value.magnitude, 1))
    }
  }

  @Test func endsOfTheRange() {
    #expect(Elementary.exp(1000) == .infinity)
    #expect(Elementary.exp(-1000) == 0)
    #expect(Elementary.exp(.nan).isNaN)
    #expect(Elementary.exp(-744) == 2 * .leastNonzeroMagnitude)
    #expect(Elementary.log(.leastNonzeroMagnitude) == -744.4400719213812)
    #expect(Elementary.log(0) == -.infinity)
    #expect(Elementary.log(-1).isNaN)
    #expect(Elementary.log(.infinity) == .infinity)
    #expect(Elementary.erfc(-30) == 2)
    #expect(Elementary.erfc(30) == 0)
    #expect(Elementary.pow(0, 0.5) == 0)
    #expect(Elementary.sinTurn(0) == 0)
    #expect(Elementary.cosTurn(0.25).magnitude < 1e-16)
    #expect(Elementary.cosTurn(1) == 1)
    #expect(Normal.logCumulative(.infinity) == 0)
    #expect(Normal.quantile(0) == -.infinity)
  }

  @Test func slopesAreThoseOfTheirFunctions() {
    for z in [-40.0, -31, -29, -8, -2, -1.01, -0.99, 0, 1.5, 5] {
      let step = 1e-5
      let improvement =
        (Normal.logImprovement(z + step) - Normal.logImprovement(z - step)) / (2 * step)
      #expect((Normal.logImprovementSlope(z) - improvement).magnitude < 1e-6 * max(1, improvement.magnitude))
      let share = (Normal.logCumulative(z + step) - Normal.logCumulative(z - step)) / (2 * step)
      #expect((Normal.logCumulativeSlope(z) - share).magnitude < 1e-6 * max(1, share.magnitude))
    }
  }
}
