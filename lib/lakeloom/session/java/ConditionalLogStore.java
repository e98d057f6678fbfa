package lakeloom;

import io.delta.storage.S3SingleDriverLogStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.util.Iterator;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Delta's commits on S3, each created only where none is: S3 itself decides between two writers (If-None-Match).
 *
 * <p>Delta's own store for S3 looks whether a commit is there and then writes it. That is safe between the threads of
 * one driver; of two drivers the later one's commit takes the place of the other's.
 *
 * <p>Source: Hadoop's createFile() and its option of S3A since 3.4.2; Amazon S3's conditional writes.
 */
public final class ConditionalLogStore extends S3SingleDriverLogStore {
  private static final String ONLY_NEW = "fs.option.create.conditional.overwrite";

  public ConditionalLogStore(Configuration configuration) {
    super(configuration);
  }

  @Override
  public void write(Path path, Iterator<String> actions, Boolean overwrite, Configuration configuration)
      throws IOException {
    if (overwrite) {
      super.write(path, actions, overwrite, configuration);
      return;
    }
    FileSystem system = path.getFileSystem(configuration);
    FSDataOutputStreamBuilder<?, ?> builder = system.createFile(path);
    builder.overwrite(false);
    builder.must(ONLY_NEW, true);
    FSDataOutputStream stream = created(builder, path);
    boolean written = false;
    try {
      while (actions.hasNext()) {
        stream.write((actions.next() + "\n").getBytes(StandardCharsets.UTF_8));
      }
      written = true;
    } finally {
      if (!written) {
        stream.abort(); // or what is half written would be put there by the end
      }
    }
    try {
      stream.close();
    } catch (IOException cause) {
      throw told(cause, path);
    }
  }

  private static FSDataOutputStream created(FSDataOutputStreamBuilder<?, ?> builder, Path path) throws IOException {
    try {
      return (FSDataOutputStream) builder.build();
    } catch (IOException cause) {
      throw told(cause, path);
    }
  }

  /** Returns what Delta takes for a commit by somebody else, after which it looks again; other faults as they are. */
  private static IOException told(IOException cause, Path path) {
    for (Throwable each = cause; each != null; each = each.getCause()) {
      String name = each.getClass().getSimpleName();
      String message = String.valueOf(each.getMessage());
      if (name.equals("RemoteFileChangedException")
          || name.equals("FileAlreadyExistsException")
          || message.contains("PreconditionFailed")
          || message.contains("ConditionalRequestConflict")
          || message.contains("Status Code: 412")) {
        FileAlreadyExistsException there = new FileAlreadyExistsException(path.toString());
        there.initCause(cause);
        return there;
      }
    }
    return cause;
  }
}
