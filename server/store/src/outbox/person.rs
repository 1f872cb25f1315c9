//! How a member wants to hear: by mail or not, when not, and whether once a day. In the app everything is there at once.
//!
//! When a mail goes out is settled when its message is written: at once, after the quiet hours, or with the day's digest. What was put off
//! to the same instant is one mail ([`super::mail`]).

use crate::Store;
use crate::calendar::local;
use crate::error::StoreError;
use crate::member::role_in;
use crate::org::zone_named;
use crate::tx::Tx;
use crate::user::UserId;
use chrono::{Days, NaiveTime, TimeDelta, TimeZone, Timelike};
use chrono_tz::Tz;
use ledger::{OrgId, Refusal, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

/// Minutes of a day.
pub const DAY_MINUTES: u32 = 1_440;

/// How a member wants to hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonChannel {
    /// Whether by mail.
    pub mail: bool,
    /// IANA name: whose hours the others are.
    pub zone: String,
    /// From which minute of the day mails wait, and at which they come as one.
    pub quiet: Option<(u32, u32)>,
    /// At which minute of the day all mails come as one.
    pub digest_at: Option<u32>,
}

impl PersonChannel {
    /// When a mail about something that happens at `now` goes out; `None`: never.
    fn mail_at(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        if !self.mail {
            return Ok(None);
        }
        let zone = zone_named(&self.zone)?;
        let minute = {
            let local = local(zone, now)?;
            local.hour() * 60 + local.minute()
        };
        let until = match (self.digest_at, self.quiet) {
            (Some(at), _) => Some(at),
            (None, Some((from, until))) if is_within(minute, from, until) => Some(until),
            (None, _) => None,
        };
        until.map_or(Ok(Some(now)), |until| next(zone, now, until).map(Some))
    }
}

/// Whether a minute is in a stretch that may go over midnight; one that ends where it begins is empty.
const fn is_within(minute: u32, from: u32, until: u32) -> bool {
    if from <= until { from <= minute && minute < until } else { from <= minute || minute < until }
}

/// The first instant after `now` at which clocks in the zone show that minute of the day. Where they jump over it, when they have jumped.
fn next(zone: Tz, now: Timestamp, minute: u32) -> Result<Timestamp, StoreError> {
    let today = local(zone, now)?.date_naive();
    for days in 0..3 {
        let date = today.checked_add_days(Days::new(days)).ok_or(Refusal::TimeOutOfRange)?;
        let wall = date.and_time(NaiveTime::MIN) + TimeDelta::minutes(i64::from(minute));
        let quarters = (0..12_i64).map(|quarter| wall + TimeDelta::minutes(15 * quarter));
        let found = quarters.filter_map(|wall| zone.from_local_datetime(&wall).earliest()).next();
        let at = found.map(|time| Timestamp::from_micros(time.timestamp_micros()));
        if let Some(at) = at.filter(|at| *at > now) {
            return Ok(at);
        }
    }
    Err(Refusal::TimeOutOfRange.into())
}

impl Store {
    /// How a member wants to hear; by mail at once where they never said.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the org.
    pub async fn person_channel(&self, org: OrgId, user: UserId) -> Result<PersonChannel, StoreError> {
        self.read(move |conn| channel(conn, org, user)).await
    }

    /// Sets how a member wants to hear. What waits for its time goes by the new wishes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where they are no member; [`StoreError::BadRange`] for hours or a zone that do not exist.
    pub async fn set_person_channel(&self, org: OrgId, user: UserId, new: PersonChannel) -> Result<(), StoreError> {
        zone_named(&new.zone)?;
        let minutes = new.quiet.into_iter().flat_map(|(from, until)| [from, until]).chain(new.digest_at);
        if minutes.into_iter().any(|minute| minute >= DAY_MINUTES) {
            return Err(StoreError::BadRange("hours must be between 00:00 and 23:59"));
        }
        let run = move |tx: &mut Tx<'_>| {
            tx.org(org)?;
            role_in(tx, org, user)?;
            write(tx, org, user, &new)
        };
        self.writer().call(0, run).await
    }

    /// No more mails to a member, as the link in each of them asks. One who is no member any more gets none anyway.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the org.
    pub async fn unsubscribe(&self, org: OrgId, user: UserId) -> Result<(), StoreError> {
        let run = move |tx: &mut Tx<'_>| {
            tx.org(org)?;
            if role_in(tx, org, user).is_err() {
                return Ok(());
            }
            let before = channel(tx.conn, org, user)?;
            write(tx, org, user, &PersonChannel { mail: false, ..before })
        };
        self.writer().call(0, run).await
    }

    /// What links in mails that work without signing in are signed with; made when it is first asked for.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn link_key(&self) -> Result<[u8; 32], StoreError> {
        let sql = "SELECT link_key FROM installation";
        let known: Option<[u8; 32]> =
            self.read(move |conn| Ok(conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?)).await?;
        if let Some(known) = known {
            return Ok(known);
        }
        let run = move |tx: &mut Tx<'_>| {
            let set = "UPDATE installation SET link_key = ?1 WHERE link_key IS NULL";
            tx.conn.prepare_cached(set)?.execute([crate::random::bytes::<32>().as_slice()])?;
            Ok(tx.conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
        };
        self.writer().call(0, run).await
    }
}

/// When a mail to a member about something that happens at `now` goes out; `None`: never.
pub(super) fn mail_at(
    conn: &Connection,
    org: OrgId,
    user: UserId,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    channel(conn, org, user)?.mail_at(now)
}

fn channel(conn: &Connection, org: OrgId, user: UserId) -> Result<PersonChannel, StoreError> {
    let sql =
        "SELECT mail, zone, quiet_from, quiet_until, digest_at FROM person_channel WHERE org_id = ?1 AND user_id = ?2";
    let found = conn.prepare_cached(sql)?.query_row([org.0, user.0], |row| {
        let quiet: (Option<u32>, Option<u32>) = (row.get(2)?, row.get(3)?);
        Ok(PersonChannel { mail: row.get(0)?, zone: row.get(1)?, quiet: quiet.0.zip(quiet.1), digest_at: row.get(4)? })
    });
    if let Some(found) = found.optional()? {
        return Ok(found);
    }
    let zone = crate::org::zone(conn, org)?.name().to_owned();
    Ok(PersonChannel { mail: true, zone, quiet: None, digest_at: None })
}

fn write(tx: &Tx<'_>, org: OrgId, user: UserId, new: &PersonChannel) -> Result<(), StoreError> {
    let sql = "INSERT INTO person_channel (org_id, user_id, mail, zone, quiet_from, quiet_until, digest_at, changed_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT DO UPDATE SET mail = excluded.mail, zone = excluded.zone, quiet_from = excluded.quiet_from,
            quiet_until = excluded.quiet_until, digest_at = excluded.digest_at, changed_at = excluded.changed_at";
    let (from, until) = new.quiet.unzip();
    let now = tx.now();
    let values = params![org.0, user.0, new.mail, new.zone, from, until, new.digest_at, now.micros()];
    tx.conn.prepare_cached(sql)?.execute(values)?;
    let again = new.mail_at(now)?.map(Timestamp::micros);
    let waiting = "UPDATE inbox SET mail_at = ?3 WHERE org_id = ?1 AND user_id = ?2 AND mail_at IS NOT NULL";
    tx.conn.prepare_cached(waiting)?.execute(params![org.0, user.0, again])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T12:00:00Z.
    const NOON: i64 = 1_795_262_400;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn mailed(channel: &PersonChannel, now: i64) -> Option<i64> {
        channel.mail_at(at(now)).expect("a good zone").map(|at| at.micros() / 1_000_000 - now)
    }

    #[test]
    fn mails_wait_for_the_end_of_quiet_hours_in_the_persons_own_zone() {
        let night = |zone: &str| PersonChannel {
            mail: true,
            zone: zone.to_owned(),
            quiet: Some((22 * 60, 7 * 60)),
            digest_at: None,
        };
        // Noon in Berlin is 13:00; in Tokyo it is 21:00, in Auckland 01:00 of the next day.
        assert_eq!(mailed(&night("Europe/Berlin"), NOON), Some(0));
        assert_eq!(mailed(&night("Asia/Tokyo"), NOON), Some(0));
        assert_eq!(mailed(&night("Asia/Tokyo"), NOON + 3_600), Some(9 * 3_600));
        assert_eq!(mailed(&night("Pacific/Auckland"), NOON), Some(6 * 3_600));
        assert_eq!(mailed(&PersonChannel { mail: false, ..night("Asia/Tokyo") }, NOON), None);
        let empty = PersonChannel { quiet: Some((600, 600)), ..night("UTC") };
        assert_eq!(mailed(&empty, NOON), Some(0));
    }

    #[test]
    fn a_digest_comes_once_a_day_at_its_minute() {
        let digest =
            |minute| PersonChannel { mail: true, zone: "UTC".to_owned(), quiet: None, digest_at: Some(minute) };
        assert_eq!(mailed(&digest(13 * 60), NOON), Some(3_600));
        assert_eq!(mailed(&digest(12 * 60), NOON), Some(86_400));
        assert_eq!(mailed(&digest(0), NOON), Some(12 * 3_600));
    }

    #[test]
    fn a_minute_that_the_clocks_jump_over_is_when_they_have_jumped() {
        // Berlin, 29 March 2026: 02:00 is followed by 03:00, at 01:00 UTC.
        let channel = PersonChannel { mail: true, zone: "Europe/Berlin".to_owned(), quiet: None, digest_at: Some(150) };
        let midnight_utc = 1_774_742_400;
        assert_eq!(mailed(&channel, midnight_utc), Some(3_600));
        // 25 October 2026: 02:30 comes twice; the first of them counts, at 00:30 UTC.
        assert_eq!(mailed(&channel, 1_792_886_400), Some(1_800));
    }
}
