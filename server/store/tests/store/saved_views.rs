//! Saved views: whose they are, who sees them, and where they end.

use crate::common::{Bench, NOON, export};
use ledger::saved_view::{MAX_QUERY_BYTES, MAX_VIEWS, ViewName};
use ledger::{OrgId, Role, Timestamp};
use store::saved_view::NewView;
use store::{By, StoreError, UserId};

fn view(name: &str, query: &str, shared: bool) -> NewView {
    NewView { name: ViewName::parse(name).expect("a name"), query: query.to_owned(), shared }
}

async fn member(bench: &Bench, org: OrgId, email: &str, role: Role) -> UserId {
    let user = bench.store.create_user(email, "x", false).await.expect("a person");
    bench.store.add_member(org, user, role).await.expect("a member");
    user
}

async fn names(bench: &Bench, org: OrgId, user: UserId) -> Vec<(String, bool)> {
    let views = bench.store.saved_views(org, user).await.expect("reads");
    views.into_iter().map(|view| (view.name, view.own)).collect()
}

#[tokio::test]
async fn a_view_is_its_persons_in_one_org_until_they_share_it() {
    let bench = Bench::new().await;
    let (acme, other) = (bench.org("Acme", "UTC").await, bench.org("Other", "UTC").await);
    let ann = member(&bench, acme, "ann@example.com", Role::Member).await;
    let bob = member(&bench, acme, "bob@example.com", Role::Admin).await;
    bench.store.add_member(other, ann, Role::Member).await.expect("both");
    let id = bench.store.save_view(acme, ann, view("Exports", "type=export", false)).await.expect("saved");
    assert_eq!(names(&bench, acme, ann).await, [("Exports".to_owned(), true)]);
    assert_eq!((names(&bench, acme, bob).await, names(&bench, other, ann).await), (vec![], vec![]));
    assert!(matches!(bench.store.delete_view(acme, bob, id).await, Err(StoreError::NotFound(_))));
    // The same name again overwrites, and may share.
    assert_eq!(bench.store.save_view(acme, ann, view("Exports", "", true)).await.expect("saved"), id);
    assert_eq!(names(&bench, acme, bob).await, [("Exports".to_owned(), false)]);
    let name = || ViewName::parse("Mine now").expect("a name");
    let refused = bench.store.rename_view(acme, bob, id, name(), true).await;
    assert!(matches!(refused, Err(StoreError::NotFound(_))), "{refused:?}");
    bench.store.rename_view(acme, ann, id, name(), true).await.expect("renamed");
    assert_eq!(names(&bench, acme, bob).await, [("Mine now".to_owned(), false)]);
    bench.store.delete_view(acme, bob, id).await.expect("an admin clears away what is shared");
    assert_eq!(names(&bench, acme, ann).await, vec![]);
    bench.assert_verified().await;
}

#[tokio::test]
async fn two_views_of_a_person_have_two_names_and_nobody_keeps_more_than_a_menu_can_list() {
    let bench = Bench::new().await;
    let acme = bench.org("Acme", "UTC").await;
    let ann = member(&bench, acme, "ann@example.com", Role::Analyst).await;
    for number in 0..MAX_VIEWS {
        bench.store.save_view(acme, ann, view(&format!("View {number}"), "", false)).await.expect("saved");
    }
    let refused = bench.store.save_view(acme, ann, view("One more", "", false)).await;
    assert!(matches!(refused, Err(StoreError::BadRange(_))), "{refused:?}");
    bench.store.save_view(acme, ann, view("View 3", "top=5", false)).await.expect("overwriting adds none");
    let id = bench.store.saved_views(acme, ann).await.expect("reads")[0].id;
    let taken = bench.store.rename_view(acme, ann, id, ViewName::parse("View 7").expect("a name"), false).await;
    assert!(matches!(taken, Err(StoreError::Conflict("name"))), "{taken:?}");
    for query in ["a b".to_owned(), "é".to_owned(), "x".repeat(MAX_QUERY_BYTES + 1)] {
        let refused = bench.store.save_view(acme, ann, view("View 3", &query, false)).await;
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn what_was_private_goes_with_its_person_and_all_goes_with_the_org() {
    let bench = Bench::new().await;
    let acme = bench.org("Acme", "UTC").await;
    bench.grant(acme, "10").await;
    bench.ingest(acme, vec![export("1")]).await;
    let ann = member(&bench, acme, "ann@example.com", Role::Member).await;
    let bob = member(&bench, acme, "bob@example.com", Role::Owner).await;
    for (name, shared) in [("Private", false), ("Shared", true)] {
        bench.store.save_view(acme, ann, view(name, "", shared)).await.expect("saved");
    }
    bench.store.change_member(acme, bob, ann, None, By::command()).await.expect("removed");
    assert_eq!(names(&bench, acme, ann).await, [("Shared".to_owned(), true)]);
    assert_eq!(names(&bench, acme, bob).await, [("Shared".to_owned(), false)]);
    let refused = bench.store.save_view(acme, ann, view("Again", "", false)).await;
    assert!(matches!(refused, Err(StoreError::NotFound(_))), "{refused:?}");
    let mut dump = bench.store.dump(acme).await.expect("begins");
    let mut text = String::new();
    while let Some(piece) = dump.next().await.expect("reads") {
        text.push_str(&piece);
    }
    assert_eq!(text.matches("\"table\":\"saved_view\"").count(), 1, "the export has it");
    bench.store.note_export(acme, By::command()).await.expect("noted");
    bench.store.end_org(acme, By::command()).await.expect("asked for");
    bench.clock.set(Timestamp::from_micros(NOON.micros() + 31 * 86_400_000_000));
    while bench.store.delete_some().await.expect("deletes") > 0 {}
    assert_eq!(names(&bench, acme, bob).await, vec![]);
}
