use core::ops::Range;

/// The seeds for a test that runs many simulations: `0..slice`, unless the environment says
/// otherwise.
///
/// `NETSIM_SEED=17` replays one seed, the one that a failing [`Net`](crate::Net) printed;
/// `NETSIM_SEEDS=10000` widens (or narrows) the range of every test that asks here.
///
/// # Panics
/// When a variable is set to something that is not a number.
#[must_use]
pub fn seeds(slice: u64) -> Range<u64> {
    choose(slice, &|name| std::env::var(name).ok())
}

#[expect(clippy::panic, reason = "a test that cannot read its settings must not pass")]
fn choose(slice: u64, variable: &dyn Fn(&str) -> Option<String>) -> Range<u64> {
    let number = |name| {
        variable(name).map(|text| match text.parse::<u64>() {
            Ok(number) => number,
            Err(why) => panic!("{name}={text}: {why}; give a decimal number"),
        })
    };
    match number("NETSIM_SEED") {
        Some(seed) => seed..seed.saturating_add(1),
        None => 0..number("NETSIM_SEEDS").unwrap_or(slice),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_picks_one_seed_or_more_of_them() {
        assert_eq!(choose(5, &|_| None), 0..5);
        let only = |name: &str| (name == "NETSIM_SEED").then(|| "17".into());
        assert_eq!(choose(5, &only), 17..18);
        let more = |name: &str| (name == "NETSIM_SEEDS").then(|| "10000".into());
        assert_eq!(choose(5, &more), 0..10_000);
    }

    #[test]
    #[should_panic(expected = "NETSIM_SEED=x")]
    fn a_setting_that_is_no_number_fails() {
        choose(5, &|_| Some("x".into()));
    }
}
