//! Weighted logistic regression with soft targets and an L2 penalty, fitted by damped Newton steps in dual-free form:
//! conjugate gradients on the Hessian (Komarek and Moore 2005), so that wide features cost no matrix inverse.

/// A linear readout.
#[derive(Clone, Debug, PartialEq)]
pub struct Readout {
    /// `[width]`.
    pub weight: Vec<f32>,
    /// 0 where no intercept was asked for.
    pub bias: f32,
}

/// What to fit. `features [rows, width]`.
#[derive(Clone, Copy)]
pub struct Fit<'a> {
    /// Row-major features.
    pub features: &'a [f32],
    /// Their width.
    pub width: usize,
    /// P(positive) per row.
    pub targets: &'a [f32],
    /// Weight per row.
    pub weights: &'a [f32],
    /// Penalty: l2/2 · |w|² beside the *mean* weighted loss.
    pub l2: f32,
    /// Whether to fit an intercept (not penalised). Contrasts of pairs need none: swapping must negate.
    pub intercept: bool,
}

/// Newton steps at most.
const STEPS: usize = 25;
/// Conjugate-gradient steps per Newton step.
const INNER: usize = 60;

impl Fit<'_> {
    /// Minimise. Deterministic; stops when the gradient's norm is below 1e-6.
    pub fn run(&self) -> Readout {
        self.minimise(vec![0.0; self.width + 1])
    }

    /// Minimise from a readout that is near.
    pub fn run_from(&self, near: &Readout) -> Readout {
        self.minimise(near.weight.iter().chain([&near.bias]).map(|&w| f64::from(w)).collect())
    }

    fn minimise(&self, mut w: Vec<f64>) -> Readout {
        let total: f64 = self.weights.iter().map(|&weight| f64::from(weight)).sum::<f64>().max(1e-12);
        let mut loss = self.loss(&w, total);
        for _ in 0..STEPS {
            let (gradient, curvature) = self.gradient(&w, total);
            if gradient.iter().map(|g| g * g).sum::<f64>().sqrt() < 1e-6 {
                break;
            }
            let direction = self.solve(&gradient, &curvature, total);
            let mut step = 1.0;
            loop {
                let tried: Vec<f64> = w.iter().zip(&direction).map(|(w, d)| w - step * d).collect();
                let value = self.loss(&tried, total);
                if value < loss {
                    (w, loss) = (tried, value);
                    break;
                }
                step /= 2.0;
                if step < 1e-6 {
                    return self.finish(&w);
                }
            }
        }
        self.finish(&w)
    }

    fn finish(&self, w: &[f64]) -> Readout {
        Readout { weight: w[..self.width].iter().map(|&w| w as f32).collect(), bias: w[self.width] as f32 }
    }

    fn row(&self, i: usize) -> &[f32] {
        &self.features[i * self.width..(i + 1) * self.width]
    }

    fn margin(&self, i: usize, w: &[f64]) -> f64 {
        self.row(i).iter().zip(w).map(|(x, w)| f64::from(*x) * w).sum::<f64>() + w[self.width]
    }

    fn loss(&self, w: &[f64], total: f64) -> f64 {
        let data: f64 = (0..self.targets.len())
            .map(|i| {
                let m = self.margin(i, w);
                let softplus = m.max(0.0) + (-m.abs()).exp().ln_1p();
                f64::from(self.weights[i]) * (softplus - f64::from(self.targets[i]) * m)
            })
            .sum();
        let penalty: f64 = w[..self.width].iter().map(|w| w * w).sum();
        data / total + 0.5 * f64::from(self.l2) * penalty
    }

    /// The gradient, and p (1 − p) · weight per row.
    fn gradient(&self, w: &[f64], total: f64) -> (Vec<f64>, Vec<f64>) {
        let mut gradient: Vec<f64> = w.iter().map(|w| w * f64::from(self.l2)).collect();
        gradient[self.width] = 0.0;
        let mut curvature = Vec::with_capacity(self.targets.len());
        for i in 0..self.targets.len() {
            let p = 1.0 / (1.0 + (-self.margin(i, w)).exp());
            let weight = f64::from(self.weights[i]) / total;
            curvature.push(weight * p * (1.0 - p));
            self.add_row(&mut gradient, i, weight * (p - f64::from(self.targets[i])));
        }
        (gradient, curvature)
    }

    fn add_row(&self, out: &mut [f64], i: usize, factor: f64) {
        for (out, x) in out.iter_mut().zip(self.row(i)) {
            *out += factor * f64::from(*x);
        }
        if self.intercept {
            out[self.width] += factor;
        }
    }

    /// Solve (Xᵀ C X + l2) d = gradient.
    fn solve(&self, gradient: &[f64], curvature: &[f64], _total: f64) -> Vec<f64> {
        let product = |d: &[f64]| {
            let mut out: Vec<f64> = d.iter().map(|d| d * (f64::from(self.l2) + 1e-9)).collect();
            for (i, c) in curvature.iter().enumerate() {
                let along = self.margin(i, d);
                self.add_row(&mut out, i, c * along);
            }
            out
        };
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let mut x = vec![0.0; gradient.len()];
        let mut r = gradient.to_vec();
        let mut p = r.clone();
        let mut rr = dot(&r, &r);
        let goal = rr * 1e-8;
        for _ in 0..INNER {
            if rr <= goal || rr == 0.0 {
                break;
            }
            let hp = product(&p);
            let alpha = rr / dot(&p, &hp);
            for i in 0..x.len() {
                x[i] += alpha * p[i];
                r[i] -= alpha * hp[i];
            }
            let next = dot(&r, &r);
            for i in 0..p.len() {
                p[i] = r[i] + next / rr * p[i];
            }
            rr = next;
        }
        x
    }
}

impl Readout {
    /// Margins of `features [rows, width]`.
    pub fn margins(&self, features: &[f32]) -> Vec<f32> {
        let width = self.weight.len();
        let one = |row: &[f32]| row.iter().zip(&self.weight).map(|(x, w)| x * w).sum::<f32>() + self.bias;
        features.chunks_exact(width).map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_feature_has_the_closed_form() {
        // Two groups x = 0 and x = 1 with positive shares 0.2 and 0.7: bias = logit 0.2, bias + weight = logit 0.7.
        let features: Vec<f32> = [0.0, 0.0, 1.0, 1.0].to_vec();
        let (targets, weights) = ([1.0, 0.0, 1.0, 0.0], [0.2, 0.8, 0.7, 0.3]);
        let fit = Fit { features: &features, width: 1, targets: &targets, weights: &weights, l2: 0.0, intercept: true };
        let readout = fit.run();
        assert!((readout.bias - (0.25f32).ln()).abs() < 1e-3, "{readout:?}");
        assert!((readout.bias + readout.weight[0] - (7.0f32 / 3.0).ln()).abs() < 1e-3, "{readout:?}");
    }

    #[test]
    fn soft_targets_equal_split_weights() {
        let features: Vec<f32> = vec![1.0, 0.5, -0.3, 1.2, 0.1, -1.0];
        let soft = Fit {
            features: &features,
            width: 2,
            targets: &[0.7, 0.2, 0.9],
            weights: &[1.0; 3],
            l2: 0.1,
            intercept: false,
        };
        let doubled: Vec<f32> = features.iter().chain(&features).copied().collect();
        let targets = [1.0, 1.0, 1.0, 0.0, 0.0, 0.0];
        let weights = [0.7, 0.2, 0.9, 0.3, 0.8, 0.1];
        let hard =
            Fit { features: &doubled, width: 2, targets: &targets, weights: &weights, l2: 0.1, intercept: false };
        for (a, b) in soft.run().weight.iter().zip(hard.run().weight) {
            assert!((a - b).abs() < 1e-4);
        }
    }
}
