//! Query strings as HTML forms write them (`application/x-www-form-urlencoded`), both ways.
//!
//! Our own few lines rather than the URL parser: the same bytes on server and browser, no dependency in the browser,
//! and the server's CSV export reads exactly what a page's link says. Cost: one pass.

/// More pairs than any of our pages writes; what comes after them is not looked at.
pub const MAX_PAIRS: usize = 256;

/// The pairs of a query string, decoded; a leading `?` is fine.
#[must_use]
pub fn parse(query: &str) -> Vec<(String, String)> {
    let query = query.strip_prefix('?').unwrap_or(query);
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).take(MAX_PAIRS);
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(k, v)| (decode(k), decode(v))).collect()
}

/// Appends a pair to a query string that starts empty.
pub fn push(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    encode(query, name);
    query.push('=');
    encode(query, value);
}

/// The address of something below a path, by its id. `.` and `..` cannot be said in an address: browsers walk along them.
#[must_use]
pub fn place(path: &str, id: &str) -> String {
    let mut text = format!("{path}/");
    for byte in id.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => text.push(char::from(byte)),
            _ => hex(&mut text, byte),
        }
    }
    text
}

/// A segment of a path, decoded.
#[must_use]
pub fn segment(text: &str) -> String {
    // In a path `+` stands for itself.
    decode(&text.replace('+', "%2B"))
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    rest = after;
                }
                _ => bytes.push(b'%'),
            },
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => hex(out, byte),
        }
    }
}

fn hex(out: &mut String, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(HEX[usize::from(byte >> 4)]));
    out.push(char::from(HEX[usize::from(byte & 15)]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_forms_and_people_write() {
        let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
        assert_eq!(
            parse("?a=1&a=2+3&b&=x&&c=%c3%BC%2"),
            [pair("a", "1"), pair("a", "2 3"), pair("b", ""), pair("", "x"), pair("c", "ü%2")]
        );
        assert_eq!(parse("a=%FF"), [pair("a", "\u{FFFD}")]);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(pairs in prop::collection::vec((".{1,12}", ".{0,12}"), 0..8)) {
            let mut query = String::new();
            pairs.iter().for_each(|(k, v)| push(&mut query, k, v));
            prop_assert!(query.bytes().all(|b| b.is_ascii_graphic() && b != b'#' && b != b'"'));
            prop_assert_eq!(parse(&query), pairs);
        }

        #[test]
        fn whatever_an_id_is_its_address_leads_to_it(id in ".{1,40}") {
            let place = place("/users", &id);
            prop_assert!(place.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.~%".contains(&b)));
            let found: Vec<String> = place.split('/').skip(1).map(segment).collect();
            prop_assert_eq!(found, ["users".to_owned(), id]);
        }
    }
}
