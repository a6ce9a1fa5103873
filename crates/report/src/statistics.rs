//! What many rounds come to: a median and the middle half around it.

/// The middle of many measurements.
///
/// Not the mean, which one hiccup of the machine spoils, and not the best, which nobody meets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Half of the measurements are below, half above.
    pub median: f64,
    /// A quarter of the measurements are below.
    pub low: f64,
    /// A quarter of the measurements are above.
    pub high: f64,
}

impl Summary {
    /// The summary of these measurements. Between two of them, quartiles lie on the straight line
    /// (Hyndman and Fan's type 7, what R and NumPy do).
    ///
    /// # Panics
    /// If there is no measurement.
    pub fn of(measurements: &[f64]) -> Self {
        assert!(!measurements.is_empty(), "a summary needs a measurement");
        let mut sorted = measurements.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let place = part * (sorted.len() - 1) as f64;
            let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
            below + (above - below) * place.fract()
        };
        Self { median: at(0.5), low: at(0.25), high: at(0.75) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quartiles_as_in_the_textbook() {
        let odd = Summary::of(&[5.0, 1.0, 3.0, 2.0, 4.0]);
        assert_eq!(odd, Summary { median: 3.0, low: 2.0, high: 4.0 });
        let even = Summary::of(&[4.0, 1.0, 3.0, 2.0]);
        assert_eq!(even, Summary { median: 2.5, low: 1.75, high: 3.25 });
        assert_eq!(Summary::of(&[7.0]), Summary { median: 7.0, low: 7.0, high: 7.0 });
    }

    proptest! {
        #[test]
        fn about_half_of_the_measurements_lie_in_the_middle_half(
            measurements in prop::collection::vec(0.0..1e3f64, 1..60)
        ) {
            let Summary { median, low, high } = Summary::of(&measurements);
            prop_assert!(low <= median && median <= high);
            let inside = measurements.iter().filter(|&&m| low <= m && m <= high).count();
            prop_assert!(2 * (inside + 1) >= measurements.len());
        }
    }
}
