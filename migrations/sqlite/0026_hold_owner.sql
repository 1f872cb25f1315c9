-- On whose behalf credits are held: what a capture counts for, besides the project. Holds from before had nobody.
ALTER TABLE hold ADD COLUMN user TEXT;                             -- NULL: nobody was named
ALTER TABLE hold ADD COLUMN tenant TEXT;                           -- NULL: none was named
