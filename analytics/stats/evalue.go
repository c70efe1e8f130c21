package stats

import "math"

// An e-value is evidence that may be accumulated: a non-negative number whose
// mean under the hypothesis is at most one. Products of independent e-values
// and averages of any e-values are e-values again, and seeing one of at least
// 1/α has chance at most α, whenever one chooses to look (Ville 1939; Ramdas,
// Grünwald, Vovk and Shafer 2023).

// EFromP calibrates a p-value into an e-value: κ·p^(κ−1) with 0 < κ < 1.
func EFromP(p, kappa float64) float64 { return kappa * math.Pow(p, kappa-1) }

// PFromE is the p-value an e-value stands for, min(1, 1/e).
func PFromE(e float64) float64 { return math.Min(1, 1/e) }

// NormalMixtureE is the e-value against "the mean is zero" after n independent
// values of known variance sigma2 with the given sum, averaging over
// alternatives with means drawn from N(0, tau2) (Robbins 1970; the mixture
// sequential probability-ratio test of Johari et al. 2022). Following it over
// n gives an e-process: its 1/α crossings are valid at every n at once.
func NormalMixtureE(sum, n, sigma2, tau2 float64) float64 {
	return math.Exp(LogNormalMixtureE(sum, n, sigma2, tau2))
}

// LogNormalMixtureE is the logarithm of [NormalMixtureE], safe for large sums.
func LogNormalMixtureE(sum, n, sigma2, tau2 float64) float64 {
	v := sigma2 + n*tau2
	return 0.5*math.Log(sigma2/v) + tau2*sum*sum/(2*sigma2*v)
}

// ConfidenceSequence is the interval for a mean that holds at every sample size
// at once with the given level: the values the mixture e-process does not
// refuse (Waudby-Smith et al. 2021, theorem 2.2, when the variance is
// estimated). rho > 0 tunes where it is tightest: near n = (2·log(1/α))/rho².
func ConfidenceSequence(m Moments, rho, level float64) Estimate {
	level = checkLevel(level)
	n := float64(m.N)
	e := Estimate{Value: m.Mean(), Low: math.NaN(), High: math.NaN(), N: m.N, NEff: n, Level: level, Method: "confidence-sequence"}
	if m.N >= 2 {
		h := SequenceHalfWidth(n, math.Sqrt(m.Variance()), rho, level)
		e.Low, e.High = e.Value-h, e.Value+h
	}
	return e
}

// SequenceHalfWidth is the half width of [ConfidenceSequence] for a standard
// deviation sigma.
func SequenceHalfWidth(n, sigma, rho, level float64) float64 {
	alpha := 1 - checkLevel(level)
	a := n*rho*rho + 1
	return sigma * math.Sqrt(2*a/(n*n*rho*rho)*math.Log(math.Sqrt(a)/alpha))
}
