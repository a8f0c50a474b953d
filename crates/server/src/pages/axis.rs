//! A number line for SVG.

/// Maps values to places.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    /// From `values` with some room, drawn between places `from` and `to`.
    pub fn over(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let (mut low, mut high) = (0.0f64, 1.0f64);
        for value in values.filter(|value| value.is_finite()) {
            // A wild interval must not flatten everything else.
            low = low.min(value.max(-1.5));
            high = high.max(value.min(2.5));
        }
        let room = 0.04 * (high - low);
        Self { low: low - room, high: high + room, from, to }
    }

    /// Place of a value, kept inside.
    pub fn at(&self, value: f64) -> f64 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.from + share * (self.to - self.from)
    }

    /// Round values to label.
    pub fn ticks(&self) -> Vec<f64> {
        let step = if self.high - self.low > 2.0 { 0.5 } else { 0.25 };
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step).floor() as i64;
        (first..=last).map(|i| i as f64 * step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_zero_and_one_and_keeps_wild_values_inside() {
        let axis = Axis::over([0.3, 9.0, f64::NAN].into_iter(), 100.0, 0.0);
        assert!(axis.at(0.0) > axis.at(1.0));
        assert_eq!(axis.at(1e9), 0.0);
        assert!(axis.ticks().contains(&1.0));
    }
}
