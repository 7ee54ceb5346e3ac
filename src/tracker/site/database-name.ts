// What the site's database is called in the state folder: known to those who do not load the database.

export const DATABASE_NAME = 'tracker.db';
