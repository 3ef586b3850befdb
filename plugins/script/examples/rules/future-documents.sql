-- title: no document was registered in the future
-- severity: warning
-- help: Documents are sorted by the time of their registration, and their folder is made of it.
--   A time to come is nearly always a slip of the keyboard. Put it right before the migration,
--   or waive it: the document moves as it is.
-- subject: file:document:{document_id}
-- message: document {document_id} ({name}) was registered on {registered}, which is still to come
-- max-rows: 1000
SELECT d.document_id, d.name, d.registered
FROM {document} d
WHERE d.registered > CURRENT_TIMESTAMP
ORDER BY d.document_id
