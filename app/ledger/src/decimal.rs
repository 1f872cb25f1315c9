//! Decimal text to scaled integers and back, exactly.
//!
//! One parser for credits, quantities, rates and reported amounts, so that "1e3", "01", "1." or " 1" mean the same
//! (or are refused the same) everywhere. It never goes through a float. Cost: one pass over at most [`MAX_LEN`] bytes.

/// Longest text that is looked at: more than any exact amount needs, short enough that a hostile one costs nothing.
pub const MAX_LEN: usize = 64;

/// Why a decimal could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not digits with at most one point and one exponent.
    #[error("is not a decimal number such as 12 or 12.5")]
    Syntax,
    /// More decimals than the type keeps; rounding silently would lose credits.
    #[error("has more than {0} decimals")]
    TooPrecise(u32),
    /// Beyond the range of the type.
    #[error("is too large")]
    TooLarge,
}

/// Reads `text` as an integer number of `10^-scale` units.
///
/// Accepts what JSON accepts as a number: `-12.50`, `1e3`. Trailing zeros beyond `scale` are fine, other digits are not.
///
/// # Errors
/// [`DecimalError`] says which of the three ways it failed.
pub fn parse(text: &str, scale: u32) -> Result<i128, DecimalError> {
    if text.len() > MAX_LEN {
        return Err(DecimalError::Syntax);
    }
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return Err(DecimalError::Syntax),
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return Err(DecimalError::Syntax);
    }
    let mut value: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        value = value
            .checked_mul(10)
            .and_then(|v| v.checked_add(i128::from(digit - b'0')))
            .ok_or(DecimalError::TooLarge)?;
    }
    // Bounded by MAX_LEN digits and a four-digit exponent: no overflow.
    let fraction_len = i32::try_from(fraction.len()).map_err(|_| DecimalError::Syntax)?;
    let shift = i32::try_from(scale).map_err(|_| DecimalError::TooLarge)? + exponent - fraction_len;
    let value = shifted(value, shift).map_err(|e| match e {
        DecimalError::TooPrecise(_) => DecimalError::TooPrecise(scale),
        other => other,
    })?;
    Ok(if negative { -value } else { value })
}

/// Writes `value` (in `10^-scale` units) with exactly `decimals` decimals; `decimals` must not exceed `scale` unless the
/// digits cut are zero (callers pass `decimals == scale`, or use [`trimmed`]).
#[must_use]
pub fn fixed(value: i128, scale: u32) -> String {
    let unit = 10_i128.pow(scale);
    let sign = if value < 0 { "-" } else { "" };
    let (whole, fraction) = (value.unsigned_abs() / unit.unsigned_abs(), value.unsigned_abs() % unit.unsigned_abs());
    if scale == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction:0width$}", width = scale as usize)
    }
}

/// Like [`fixed`], without trailing zeros: `12.5`, `12`.
#[must_use]
pub fn trimmed(value: i128, scale: u32) -> String {
    let text = fixed(value, scale);
    if scale == 0 {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn exponent_of(text: &str) -> Result<i32, DecimalError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DecimalError::Syntax);
    }
    text.parse().map_err(|_| DecimalError::Syntax)
}

fn shifted(value: i128, shift: i32) -> Result<i128, DecimalError> {
    if value == 0 {
        return Ok(0);
    }
    let power = 10_i128.checked_pow(shift.unsigned_abs());
    if shift >= 0 {
        return power.and_then(|p| value.checked_mul(p)).ok_or(DecimalError::TooLarge);
    }
    match power {
        Some(p) if value % p == 0 => Ok(value / p),
        _ => Err(DecimalError::TooPrecise(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_json_calls_a_number() {
        assert_eq!(parse("12.5", 6), Ok(12_500_000));
        assert_eq!(parse("-0.000001", 6), Ok(-1));
        assert_eq!(parse("1e3", 6), Ok(1_000_000_000));
        assert_eq!(parse("5E-6", 6), Ok(5));
        assert_eq!(parse("0e9999", 6), Ok(0));
        assert_eq!(parse("1.50000000000", 1), Ok(15));
    }

    #[test]
    fn refuses_what_is_not_exact_or_not_a_number() {
        for text in
            ["", "-", "1.", ".5", "+1", " 1", "1 ", "NaN", "inf", "0x10", "1_000", "1,5", "١", "1e", "1e99999", "--1"]
        {
            assert_eq!(parse(text, 6), Err(DecimalError::Syntax), "{text:?}");
        }
        assert_eq!(parse("0.0000001", 6), Err(DecimalError::TooPrecise(6)));
        assert_eq!(parse("1e300", 6), Err(DecimalError::TooLarge));
        assert_eq!(parse("1e-300", 6), Err(DecimalError::TooPrecise(6)));
        assert_eq!(parse(&"9".repeat(65), 6), Err(DecimalError::Syntax));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(value in -(10_i128.pow(30))..10_i128.pow(30), scale in 0_u32..13) {
            prop_assert_eq!(parse(&fixed(value, scale), scale), Ok(value));
            prop_assert_eq!(parse(&trimmed(value, scale), scale), Ok(value));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,80}") {
            let _ = parse(&text, 6);
        }
    }
}
