use super::*;
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Parcel {
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    note: String,
    weight: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stamp: Option<[u8; 2]>,
    kinds: Vec<Kind>,
    fragile: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Kind {
    Plain,
    Heavy(u32),
    Sized { width: i16, height: i16 },
    Pair(i8, char),
}

fn parcel() -> impl Strategy<Value = Parcel> {
    let kind = prop_oneof![
        Just(Kind::Plain),
        any::<u32>().prop_map(Kind::Heavy),
        any::<(i16, i16)>().prop_map(|(width, height)| Kind::Sized { width, height }),
        any::<(i8, char)>().prop_map(|(a, b)| Kind::Pair(a, b)),
    ];
    let parts = (".{0,9}", ".{0,3}", any::<Option<i64>>(), any::<Option<[u8; 2]>>(), any::<bool>());
    (parts, prop::collection::vec(kind, 0..4)).prop_map(|((name, note, weight, stamp, fragile), kinds)| Parcel {
        name,
        note,
        weight,
        stamp,
        kinds,
        fragile,
    })
}

#[test]
fn a_struct_is_an_array_and_what_it_leaves_out_keeps_its_place() {
    let kinds = vec![Kind::Plain, Kind::Heavy(7), Kind::Sized { width: 1, height: -1 }];
    let parcel = Parcel {
        name: "a\"\n".to_owned(),
        note: String::new(),
        weight: None,
        stamp: Some([1, 2]),
        kinds,
        fragile: true,
    };
    let text = r#"["a\"\u000a",{},null,[1,2],[0,[1,7],[2,1,-1]],true]"#;
    assert_eq!(write(&parcel).as_deref(), Ok(text));
    assert_eq!(read(text), Ok(parcel));
}

#[test]
fn what_never_travels_is_not_written() {
    assert_eq!(write(&1.5), Err(Unfit));
    assert_eq!(write(&u64::MAX), Err(Unfit));
    assert_eq!(write(&std::collections::BTreeMap::from([(1, 2)])), Err(Unfit));
}

proptest! {
    #[test]
    fn what_is_written_reads_back_and_is_json(parcel in parcel()) {
        let text = write(&parcel).expect("fits");
        prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{}", text);
        prop_assert_eq!(read::<Parcel>(&text), Ok(parcel));
    }

    #[test]
    fn a_text_that_was_cut_or_changed_is_refused_or_another_value(parcel in parcel(), at in any::<prop::sample::Index>(), letter: char) {
        let text = write(&parcel).expect("fits");
        let letters: Vec<char> = text.chars().collect();
        let at = at.index(letters.len());
        prop_assert_eq!(read::<Parcel>(&letters[..at].iter().collect::<String>()), Err(Unfit));
        let changed: String = letters[..at].iter().chain([&letter]).chain(&letters[at + 1..]).collect();
        if let Ok(other) = read::<Parcel>(&changed) {
            prop_assert_eq!(read::<Parcel>(&write(&other).expect("fits")), Ok(other));
        }
    }
}
